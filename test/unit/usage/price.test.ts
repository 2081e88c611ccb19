import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePriceOverrides, priceOf } from "../../../packages/core/src/usage/price.ts";
import { prices } from "../../../packages/core/src/usage/prices.ts";

const day = new Date("2026-11-22T09:00:00Z");

describe("the price list", () => {
  it("has whole nano-dollars, a source and a date in every row, and no row twice", () => {
    for (const row of prices) {
      for (const nanoUsd of [row.inputNanoUsd, row.cachedInputNanoUsd, row.outputNanoUsd]) {
        expect(Number.isSafeInteger(nanoUsd) && nanoUsd > 0, row.model).toBe(true);
      }
      expect(row.cachedInputNanoUsd).toBeLessThanOrEqual(row.inputNanoUsd);
      expect(row.from).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      expect(row.source).toContain("openai.com");
    }
    expect(new Set(prices.map(({ model, from }) => `${model} ${from}`)).size).toBe(prices.length);
  });
});

describe("priceOf", () => {
  it("knows a model by its name, and a snapshot by its family", () => {
    expect(priceOf("gpt-4o-mini", day)).toMatchObject({
      inputNanoUsd: 150,
      cachedInputNanoUsd: 75,
      outputNanoUsd: 600,
    });
    expect(priceOf("gpt-4o-mini-2024-07-18", day)).toEqual(priceOf("gpt-4o-mini", day));
    expect(priceOf("gpt-4o-2024-08-06", day)).toEqual(priceOf("gpt-4o", day));
    expect(priceOf("gpt-5.6-luna-2026-09-01", day)?.inputNanoUsd).toBe(200);
  });

  it("keeps the price of a snapshot that has its own", () => {
    expect(priceOf("gpt-4o-2024-05-13", day)).toMatchObject({ inputNanoUsd: 5_000, outputNanoUsd: 15_000 });
  });

  it("does not guess: a longer name, a fine-tuned model and an unknown one are unpriced", () => {
    for (const model of [
      "gpt-4o-audio-preview",
      "gpt-4o-audio-preview-2024-12-17",
      "gpt-4o-mini-tts",
      "gpt-4o-2024-08-06-custom",
      "gpt-5.6",
      "ft:gpt-4o-mini-2024-07-18:acme::abc",
      "openai/gpt-4o",
      "llama3.2",
      "",
      "constructor",
      "__proto__",
    ]) {
      expect(priceOf(model, day), model).toBeNull();
    }
  });

  it("knows no price for a day before its list begins", () => {
    expect(priceOf("gpt-4o", new Date("2026-10-31T23:59:59Z"))).toBeNull();
    expect(priceOf("gpt-4o", new Date("2026-11-01T00:00:00Z"))).not.toBeNull();
  });

  it("is overridden by the stage, for the family and its snapshots, but not for a snapshot with its own price", () => {
    const parsed = parsePriceOverrides({ "gpt-4o": { input: 2, output: 8 }, llava: { input: 0, output: "0.001" } });
    if (!parsed.ok) throw new Error("the overrides do not parse");
    const { overrides } = parsed;
    expect(priceOf("gpt-4o-2024-08-06", day, overrides)).toMatchObject({
      inputNanoUsd: 2_000,
      cachedInputNanoUsd: 2_000,
    });
    expect(priceOf("gpt-4o-2024-05-13", day, overrides)).toMatchObject({ inputNanoUsd: 5_000 });
    expect(priceOf("gpt-4o-mini", day, overrides)).toMatchObject({ inputNanoUsd: 150 });
    expect(priceOf("llava", day, overrides)).toMatchObject({ inputNanoUsd: 0, outputNanoUsd: 1 });
  });
});

describe("parsePriceOverrides", () => {
  const inputOf = (input: unknown): number | null => {
    const parsed = parsePriceOverrides({ m: { input, output: 1 } });
    return parsed.ok ? (parsed.overrides.get("m")?.inputNanoUsd ?? null) : null;
  };

  it("reads $ per 1M tokens as people write them, exactly", () => {
    const written: [unknown, number][] = [
      [0.15, 150],
      ["0.15", 150],
      ["$2.50", 2_500],
      [" 10 ", 10_000],
      ["0.075000", 75],
      [1.1, 1_100],
      [0, 0],
      [9999.999, 9_999_999],
    ];
    for (const [price, nanoUsd] of written) expect(inputOf(price), String(price)).toBe(nanoUsd);
  });

  it("reads every price of whole nano-dollars back as it was", () => {
    fc.assert(
      fc.property(fc.nat(9_999_999), (nanoUsd) => {
        expect(inputOf(nanoUsd / 1_000)).toBe(nanoUsd);
        expect(inputOf((nanoUsd / 1_000).toFixed(3))).toBe(nanoUsd);
      }),
    );
  });

  it("refuses what is not a price, or not exact in nano-dollars", () => {
    for (const price of [-1, "-1", "", "free", "1,50", "0.0375", 0.0375, 1e-7, 1e21, Number.NaN, null, true, "10000"]) {
      expect(inputOf(price), String(price)).toBeNull();
    }
  });

  it("reads surcharges and tiers", () => {
    const parsed = parsePriceOverrides({
      "gpt-7": {
        input: 4,
        cached_input: 0.4,
        output: 20,
        long_context: true,
        cache_writes: true,
        service_tiers: { priority: { input: 8, cached_input: 0.8, output: 40 } },
      },
    });
    expect(parsed.ok && parsed.overrides.get("gpt-7")).toEqual({
      inputNanoUsd: 4_000,
      cachedInputNanoUsd: 400,
      outputNanoUsd: 20_000,
      longContext: true,
      cacheWrites: true,
      serviceTiers: new Map([["priority", { inputNanoUsd: 8_000, cachedInputNanoUsd: 800, outputNanoUsd: 40_000 }]]),
    });
  });

  it("names every wrong key", () => {
    const wrong = {
      "gpt-4o": { input: "dear", output: 1 },
      "gpt-4.1": { input: 1, outptu: 1 },
      "gpt-5": { input: 1, output: 1, service_tiers: { priority: { input: 1 } } },
    };
    const parsed = parsePriceOverrides(wrong);
    expect(parsed.ok ? [] : parsed.problems.map(({ path }) => path)).toEqual([
      "gpt-4o.input",
      '["gpt-4.1"].output',
      '["gpt-4.1"].outptu',
      "gpt-5.service_tiers.priority.output",
    ]);
    for (const json of [null, [], "x", 1]) expect(parsePriceOverrides(json).ok).toBe(false);
  });
});
