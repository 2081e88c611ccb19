import { defaultModelWarning } from "@tollgate/core/model/default-model";
import { expect, test } from "vitest";

const warning = (name: string, day: string) => defaultModelWarning(name, new Date(`${day}T12:00:00Z`));

test("a default model that OpenAI ends within 90 days is told with its last day and its replacement", () => {
  expect(warning("gpt-4o-mini", "2026-10-15")).toBeNull();
  expect(warning("gpt-4o-mini", "2026-10-16")).toBe(
    "DEFAULT_MODEL: OpenAI ends gpt-4o-mini on 2027-01-14, in 90 days. Its replacement is gpt-6-luna.",
  );
  expect(warning("openai/gpt-4o-mini-2024-07-18", "2027-01-13")).toContain("on 2027-01-14, in 1 days");
});

test("a default model that has ended is told as that", () => {
  expect(warning("o3-mini", "2026-11-28")).toBe(
    "DEFAULT_MODEL: OpenAI ended o3-mini on 2026-10-23. Its replacement is gpt-5.6-sol.",
  );
});

test("a default model without an end needs no word, and one that the catalogue does not have needs a price", () => {
  expect(warning("gpt-6-luna", "2026-11-28")).toBeNull();
  expect(warning("llama3.2", "2026-11-28")).toMatch(/"llama3\.2" is not in the catalogue.*PRICES/);
});
