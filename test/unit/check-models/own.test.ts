import { expect, it } from "vitest";
import { ownCatalogue } from "../../../packages/cli/src/check-models/own.ts";

const own = ownCatalogue(new Date("2026-11-28T12:00:00Z"));
const ourFacts = (name: string) => Object.fromEntries(own.factsOf(name) ?? []);

it("core's prices are what requests cost: by tier, length of the prompt and lifetime of the cache", () => {
  expect(ourFacts("gpt-6-luna")).toMatchObject({
    input: 0.1,
    "cached input (flex)": 0.005,
    "output (long)": 0.75,
    "cache write 30m": 0.125,
    "cache write 12h (batch, long)": 0.25,
    "input (priority, long)": 0.4,
  });
  expect(ourFacts("gpt-4.1")).toMatchObject({ "cached input (batch)": 1, "cached input": 0.5, "input (long)": 2 });
});

it("core has no price for a tier that it leaves unpriced, nor for a model without a price", () => {
  expect(ourFacts("gpt-4o")["input (flex)"]).toBeNull();
  expect(ourFacts("ft:gpt-4-0613")).toMatchObject({ input: null, "fee per call": null, context: 8_192 });
});

it("core's facts of snapshots, fine-tuned models, audio and search models are found by their names", () => {
  expect(ourFacts("gpt-audio-mini-2025-10-06")).toMatchObject({
    ends: "2026-07-23",
    "audio input": 10,
    "audio output": 20,
    audio: true,
    pictures: false,
  });
  expect(ourFacts("ft:gpt-4o-2024-08-06")).toMatchObject({ input: 3.75, "output (batch)": 12.5 });
  expect(ourFacts("gpt-5-search-api")).toMatchObject({ "fee per call": 0.01, "longest prompt": [400_000, 272_000] });
  expect(own.factsOf("gpt-5-pro")).toBeNull();
});

it("core's served names are those of the rows that have not ended", () => {
  expect(own.servedNames).toContain("gpt-4o");
  expect(own.servedNames).not.toContain("gpt-4");
});
