import { describe, expect, it, test } from "vitest";
import { daysLeft, modelNamed, needsMaxCompletionTokens } from "../../../packages/core/src/model/model.ts";

describe("whether a model wants max_completion_tokens", () => {
  it.each([
    "gpt-5",
    "openai/o3-mini",
    "ft:o4-mini-2025-04-16:acme::x",
    "gpt-5-6-luna",
    "gpt-6-luna",
    // Without a row: by their name.
    "gpt-7-sol",
    "gpt-5.9-mini",
    "openai/o5-mini",
    "ft:gpt-7:acme::x",
    "gpt-10",
  ])("%s does", (model) => expect(needsMaxCompletionTokens(model)).toBe(true));

  it.each([
    "gpt-4o-mini",
    "gpt-35-turbo",
    "ft:gpt-4o-mini-2024-07-18:acme::x",
    "gpt-audio",
    "llama3.2",
    "gpt-oss-120b",
    "omni",
    "",
  ])("%s does not", (model) => expect(needsMaxCompletionTokens(model)).toBe(false));
});

describe("the days that a model has left", () => {
  const left = (name: string, day: string) => {
    const named = modelNamed(name);
    return named && daysLeft(named.model, new Date(day));
  };
  it("are whole days of UTC, 0 on the day of its end, less after it, and none without an end", () => {
    expect(left("gpt-4o-mini", "2026-11-28T23:59:59Z")).toBe(47);
    expect(left("gpt-4o-mini", "2027-01-14T00:00:00Z")).toBe(0);
    expect(left("gpt-4o-mini", "2027-01-15T12:00:00Z")).toBe(-1);
    expect(left("gpt-6-luna", "2027-01-15T12:00:00Z")).toBeNull();
  });
});

test("a snapshot that ended before its family has its own end", () => {
  const end = (name: string) => modelNamed(name)?.model.ends?.on;
  expect(end("gpt-audio-mini-2025-10-06")).toBe("2026-07-23");
  expect(end("gpt-audio-mini-2025-12-15")).toBe("2027-01-20");
});
