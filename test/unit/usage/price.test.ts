import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { models } from "../../../packages/core/src/model/catalogue.ts";
import { modelNamed } from "../../../packages/core/src/model/model.ts";
import { parsePriceOverrides, priceOf } from "../../../packages/core/src/usage/price.ts";

const day = new Date("2026-11-22T09:00:00Z");

describe("the catalogue", () => {
  it("has whole nano-dollars, a source and a date in every price, and no name twice", () => {
    for (const { name, prices, fineTunedPrices } of models) {
      expect(prices.length, name).toBeGreaterThan(0);
      for (const { from, source, priority, ...price } of [...prices, ...fineTunedPrices]) {
        for (const each of [price, priority ?? price]) {
          for (const nanoUsd of [each.inputNanoUsd, each.cachedInputNanoUsd, each.outputNanoUsd])
            expect(Number.isSafeInteger(nanoUsd) && nanoUsd > 0, name).toBe(true);
          expect(each.cachedInputNanoUsd).toBeLessThanOrEqual(each.inputNanoUsd);
        }
        expect(from).toMatch(/^\d{4}-\d{2}-\d{2}$/);
        expect(source).toContain("openai.com");
      }
    }
    const names = models.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("names a replacement that has a row", () => {
    for (const { name, ends } of models)
      if (ends?.replacement) expect(modelNamed(ends.replacement), `${name} → ${ends.replacement}`).not.toBeNull();
  });

  it("finds a row by a provider's prefix, Azure's spelling, an alias, a snapshot and a fine-tuned name", () => {
    for (const [name, row, isFineTuned] of [
      ["openai/o3-mini", "o3-mini", false],
      ["openrouter/openai/gpt-5.4", "gpt-5.4", false],
      ["azure/gpt-35-turbo", "gpt-3.5-turbo", false],
      ["gpt-35-turbo", "gpt-3.5-turbo", false],
      ["gpt-4-1-mini-2025-04-14", "gpt-4.1-mini", false],
      ["gpt-4-0613", "gpt-4", false],
      ["gpt-5.6", "gpt-5.6-sol", false],
      ["gpt-4o-2024-05-13", "gpt-4o-2024-05-13", false],
      ["ft:o4-mini-2025-04-16:acme::x", "o4-mini", true],
      ["ft:gpt-4o-mini-2024-07-18:acme:support:abc", "gpt-4o-mini", true],
    ] as const)
      expect([name, modelNamed(name)?.model.name, modelNamed(name)?.isFineTuned]).toEqual([name, row, isFineTuned]);
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

  it("prices a fine-tuned model by its own list", () => {
    expect(priceOf("ft:gpt-4o-mini-2024-07-18:acme::abc", day)?.inputNanoUsd).toBe(300);
    expect(priceOf("ft:gpt-4-0613:acme::abc", day)).toBeNull();
  });

  it("does not guess: a longer name and an unknown one are unpriced", () => {
    for (const model of [
      "gpt-4o-audio-preview",
      "gpt-4o-audio-preview-2024-12-17",
      "gpt-4o-mini-tts",
      "gpt-4o-2024-08-06-custom",
      "acme/gpt-4o",
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

describe("a stage's own prices", () => {
  const overrides = (json: object) => {
    const parsed = parsePriceOverrides(json);
    if (!parsed.ok) throw new Error("the overrides do not parse");
    return parsed.overrides;
  };
  const inputOf = (model: string, json: object) => priceOf(model, day, overrides(json))?.inputNanoUsd;
  const own = { input: 9, output: 9 };

  it("hold for every spelling of a model: a provider's prefix, Azure's name, an alias, a snapshot of it", () => {
    for (const [written, answered] of [
      ["gpt-4o", "openai/gpt-4o"],
      ["gpt-4o", "openrouter/openai/gpt-4o-2024-08-06"],
      ["openai/gpt-4o", "gpt-4o-2024-11-20"],
      ["gpt-3.5-turbo", "gpt-35-turbo"],
      ["gpt-35-turbo", "gpt-3.5-turbo-0125"],
      ["gpt-5.6-sol", "gpt-5.6"],
      ["gpt-5.6", "gpt-5.6-sol-2026-09-01"],
      ["azure/gpt-4-1-mini", "gpt-4.1-mini-2025-04-14"],
      ["ft:gpt-4o-mini-2024-07-18", "ft:gpt-4o-mini-2024-07-18:acme::x"],
      ["llama4", "openai/llama4"],
    ] as const)
      expect([written, answered, inputOf(answered, { [written]: own })]).toEqual([written, answered, 9_000]);
  });

  it("do not hold for another model: a fine-tuned one, a snapshot with its own row, a longer name", () => {
    for (const [written, answered, catalogue] of [
      ["gpt-4o-mini", "ft:gpt-4o-mini-2024-07-18:acme::x", 300],
      ["gpt-4o", "openai/gpt-4o-2024-05-13", 5_000],
      ["gpt-4o-2024-08-06", "gpt-4o", 2_500],
      ["gpt-4o", "gpt-4o-mini", 150],
      ["gpt-4o", "acme/gpt-4o", undefined],
    ] as const)
      expect([written, answered, inputOf(answered, { [written]: own })]).toEqual([written, answered, catalogue]);
  });

  it("prefer the name that the answer has to its family", () => {
    const both = { "gpt-4o": own, "gpt-4o-2024-08-06": { input: 8, output: 8 } };
    expect(inputOf("openai/gpt-4o-2024-08-06", both)).toBe(8_000);
  });

  it("leave a search model's fee as it is, unless they give one of their own", () => {
    const feeOf = (json: object) =>
      priceOf("gpt-5-search-api", day, overrides({ "gpt-5-search-api": json }))?.perCallNanoUsd;
    expect(feeOf(own)).toBe(10_000_000);
    expect(feeOf({ ...own, per_call: "0.025" })).toBe(25_000_000);
    expect(feeOf({ ...own, per_call: 0 })).toBe(0);
    expect(parsePriceOverrides({ m: { ...own, per_call: "a cent" } })).toMatchObject({
      problems: [{ path: "m.per_call" }],
    });
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
      halfPriceTiers: ["flex", "batch"],
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
