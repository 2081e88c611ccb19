import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { models } from "../../../packages/core/src/model/catalogue.ts";
import type { Usage } from "../../../packages/core/src/openai/usage.ts";
import { type Billing, costOf, formatUsd, plainBilling } from "../../../packages/core/src/usage/cost.ts";
import { priceOf, type Rates } from "../../../packages/core/src/usage/price.ts";

const day = new Date("2026-11-22T09:00:00Z");

function ratesOf(model: string): Rates {
  const rates = priceOf(model, day);
  if (rates === null) throw new Error(`${model} has no price`);
  return rates;
}

const usage = (counts: Partial<Usage>): Usage => ({
  promptTokens: 0,
  completionTokens: 0,
  totalTokens: (counts.promptTokens ?? 0) + (counts.completionTokens ?? 0),
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  ...counts,
});

function cost(
  model: string,
  counts: Partial<Usage>,
  serviceTier: string | null = "default",
  billing: Partial<Billing> = {},
): number | null {
  return costOf(usage(counts), ratesOf(model), serviceTier, { ...plainBilling, ...billing });
}

describe("costOf", () => {
  it("prices the tokens of a picture and its description on gpt-4o-mini", () => {
    expect(cost("gpt-4o-mini", { promptTokens: 2_855, completionTokens: 31 })).toBe(446_850);
  });

  it("prices cached tokens once, at their own price", () => {
    // 600 plain × 2,500 + 400 cached × 1,250 + 10 × 10,000
    expect(cost("gpt-4o", { promptTokens: 1_000, cachedTokens: 400, completionTokens: 10 })).toBe(2_100_000);
  });

  it("does not price reasoning tokens a second time", () => {
    const counts = { promptTokens: 10, completionTokens: 500 };
    expect(cost("o3", { ...counts, reasoningTokens: 480 })).toBe(cost("o3", counts));
  });

  it("prices cache writes at 1.25 times the input from gpt-5.6 on, and as input before", () => {
    expect(cost("gpt-5.6-sol", { promptTokens: 100, cacheWriteTokens: 100 })).toBe(500_000);
    expect(cost("gpt-5.4", { promptTokens: 100, cacheWriteTokens: 100 })).toBe(250_000);
  });

  it("prices cache writes of 12 hours at 2.5 times the input, where 30 minutes cost 1.25 times", () => {
    const written = { promptTokens: 100, cacheWriteTokens: 100 };
    for (const model of ["gpt-5.6-luna", "gpt-6-luna", "gpt-6.1-terra"]) {
      const plain = cost(model, { promptTokens: 100 }) ?? Number.NaN;
      expect(cost(model, written, "default", { cacheLifetime: "30m" })).toBe(plain * 1.25);
      expect(cost(model, written, "default", { cacheLifetime: "12h" })).toBe(plain * 2.5);
    }
    expect(cost("gpt-5.4", written, "default", { cacheLifetime: "12h" })).toBe(250_000);
  });

  it("leaves cache writes of several lifetimes unpriced, since OpenAI tells only their sum, and a request that wrote none not", () => {
    const mixed = { cacheLifetime: "mixed" } as const;
    expect(cost("gpt-6-luna", { promptTokens: 100, cacheWriteTokens: 1 }, "default", mixed)).toBeNull();
    expect(cost("gpt-6-luna", { promptTokens: 100 }, "default", mixed)).toBe(10_000);
  });

  it("gives no discount for cached input in a batch of a model before gpt-5, and half of the cached price since", () => {
    const cached = { promptTokens: 1_000, cachedTokens: 1_000 };
    expect(cost("gpt-4.1", cached, "batch")).toBe(1_000_000);
    expect(cost("gpt-4o-mini", cached, "batch")).toBe(75_000);
    expect(cost("o3", cached, "batch")).toBe(1_000_000);
    expect(cost("o3", cached, "flex")).toBe(250_000);
    expect(cost("gpt-5", cached, "batch")).toBe(62_500);
    expect(cost("gpt-4.1", { promptTokens: 1_000, completionTokens: 1_000 }, "batch")).toBe(5_000_000);
  });

  it("prices batches of fine-tuned models as OpenAI lists them, which is not always half", () => {
    const plain = { promptTokens: 1_000, completionTokens: 1_000 };
    const cached = { promptTokens: 1_000, cachedTokens: 1_000 };
    expect(cost("ft:gpt-4o-2024-08-06:acme::x", plain, "batch")).toBe(2_225_000 + 12_500_000);
    expect(cost("ft:gpt-4o-2024-08-06:acme::x", cached, "batch")).toBe(900_000);
    expect(cost("ft:gpt-4.1-2025-04-14:acme::x", plain, "batch")).toBe(7_500_000);
    expect(cost("ft:gpt-4.1-2025-04-14:acme::x", cached, "batch")).toBe(500_000);
    expect(cost("ft:gpt-4o-mini-2024-07-18:acme::x", plain, "batch")).toBe(750_000);
  });

  it("prices gpt-6.2 in batches and with priority, and not in flex, for which OpenAI lists no price", () => {
    const counts = { promptTokens: 100, completionTokens: 10 };
    expect(cost("gpt-6.2-astra", counts)).toBe(1_200_000);
    expect(cost("gpt-6.2-astra", { promptTokens: 100, cachedTokens: 100 })).toBe(40_000);
    expect(cost("gpt-6.2-sol", counts, "batch")).toBe(150_000);
    expect(cost("gpt-6.2-sol", counts, "priority")).toBe(600_000);
    expect(cost("gpt-6.2-sol", counts, "flex")).toBeNull();
  });

  it("gives the search previews no discount for cached input", () => {
    const cached = { promptTokens: 1_000, cachedTokens: 1_000 };
    expect(cost("gpt-4o-search-preview", cached)).toBe(2_500_000 + 25_000_000);
    expect(cost("gpt-4o-mini-search-preview", cached)).toBe(150_000 + 25_000_000);
  });

  it("adds a search model's fee for the call, once and in no tier's proportion", () => {
    expect(cost("gpt-5-search-api", { promptTokens: 8 })).toBe(8 * 1_250 + 10_000_000);
    expect(cost("gpt-4o-search-preview", { promptTokens: 8 }, "batch")).toBe((8 * 2_500) / 2 + 25_000_000);
  });

  it("leaves a web search unpriced on a model without a known fee for it", () => {
    const searching = { searchesWeb: true };
    expect(cost("gpt-4o", { promptTokens: 8 }, "default", searching)).toBeNull();
    expect(cost("gpt-5-search-api", { promptTokens: 8 }, "default", searching)).toBe(10_010_000);
  });

  it("doubles input and cache and adds half to output above 272,000 input tokens, for the whole request", () => {
    const counts = { promptTokens: 272_000, cachedTokens: 2_000, completionTokens: 1_000 };
    expect(cost("gpt-5.4", counts)).toBe(270_000 * 2_500 + 2_000 * 250 + 1_000 * 15_000);
    expect(cost("gpt-5.4", { ...counts, promptTokens: 272_001 })).toBe(270_001 * 5_000 + 2_000 * 500 + 1_000 * 22_500);
    expect(cost("gpt-5.4-mini", { promptTokens: 300_000 })).toBe(300_000 * 750);
    expect(cost("gpt-4.1", { promptTokens: 300_000 })).toBe(300_000 * 2_000);
  });

  it("halves batch and flex, and rounds half a nano-dollar up, once", () => {
    expect(cost("gpt-4o-mini", { promptTokens: 2_855, completionTokens: 31 }, "batch")).toBe(223_425);
    expect(cost("gpt-6-luna", { promptTokens: 2_000, completionTokens: 31 }, "flex")).toBe(107_750);
    expect(cost("gpt-5-nano", { promptTokens: 1, cachedTokens: 1 }, "batch")).toBe(3);
    expect(cost("gpt-5-nano", { promptTokens: 2, cachedTokens: 2 }, "batch")).toBe(5);
  });

  it("takes auto and a tier that is not named for the default", () => {
    const counts = { promptTokens: 7 };
    for (const tier of [null, "auto"]) expect(cost("gpt-4o", counts, tier)).toBe(cost("gpt-4o", counts));
  });

  it("prices audio in each direction by its own list", () => {
    // 100 text × 2,500 + 20 audio × 32,000 + 10 text × 10,000 + 40 audio × 64,000
    const counts = { promptTokens: 120, completionTokens: 50, audioPromptTokens: 20, audioCompletionTokens: 40 };
    expect(cost("gpt-audio", { ...counts, hasAudio: true })).toBe(3_550_000);
    expect(cost("gpt-audio-mini-2025-12-15", { ...counts, hasAudio: true })).toBe(
      100 * 600 + 20 * 10_000 + 10 * 2_400 + 40 * 20_000,
    );
  });

  it("leaves audio unpriced where its price or its tokens are not known", () => {
    const audio = { promptTokens: 7, hasAudio: true as const, audioPromptTokens: 7, audioCompletionTokens: 0 };
    expect(cost("gpt-4o", audio)).toBeNull();
    expect(cost("gpt-audio", { promptTokens: 7, hasAudio: true })).toBeNull();
    expect(cost("gpt-audio", { ...audio, cachedTokens: 1 })).toBeNull();
    expect(cost("gpt-audio", audio, "flex")).toBeNull();
  });

  it("prices priority by its own list, and fast as the same tier", () => {
    const counts = { promptTokens: 7, cachedTokens: 2, completionTokens: 3 };
    expect(cost("gpt-4o", counts, "priority")).toBe(5 * 4_250 + 2 * 2_125 + 3 * 17_000);
    expect(cost("gpt-5.5", counts, "priority")).toBe(5 * 12_500 + 2 * 1_250 + 3 * 75_000);
    expect(cost("gpt-6.1-sol", counts, "fast")).toBe(2 * (cost("gpt-6.1-sol", counts) ?? Number.NaN));
  });

  it("leaves a tier without a known price unpriced, unless the stage gives it one", () => {
    for (const tier of ["flex", "scale", "ultrafast", "constructor", "__proto__"])
      expect(cost("gpt-4o", { promptTokens: 7 }, tier)).toBeNull();
    expect(cost("gpt-5-nano", { promptTokens: 7 }, "priority")).toBeNull();
    const scale = { inputNanoUsd: 4_250, cachedInputNanoUsd: 2_125, outputNanoUsd: 17_000 };
    const rates = { ...ratesOf("gpt-4o"), serviceTiers: new Map([["scale", scale]]) };
    expect(costOf(usage({ promptTokens: 2, completionTokens: 1 }), rates, "scale")).toBe(25_500);
  });
});

describe("costs of any usage", () => {
  const anyRates = fc.constantFrom(...new Set(models.map(({ name: model }) => model))).map(ratesOf);
  /** Each model's own: in another, it is unpriced. */
  const tiersOf = ({ halfPriceTiers, serviceTiers }: Rates) => ["default", ...halfPriceTiers, ...serviceTiers.keys()];
  const anyRatesAndTier = anyRates.chain((rates) => fc.tuple(fc.constant(rates), fc.constantFrom(...tiersOf(rates))));
  const anyUsage = fc
    .tuple(fc.nat(2_000_000), fc.nat(1_000_000), fc.nat(1_000), fc.nat(1_000))
    .map(([promptTokens, completionTokens, cachedPart, writePart]) => {
      const cachedTokens = Math.floor((promptTokens * cachedPart) / 1_000);
      const cacheWriteTokens = Math.floor(((promptTokens - cachedTokens) * writePart) / 1_000);
      return usage({ promptTokens, completionTokens, cachedTokens, cacheWriteTokens });
    });
  const price = (counts: Usage, rates: Rates, tier: string): number => costOf(counts, rates, tier) ?? Number.NaN;

  it("are whole, never negative, and grow with every token", () => {
    fc.assert(
      fc.property(anyUsage, anyRatesAndTier, fc.nat(1_000), (counts, [rates, tier], more) => {
        const before = price(counts, rates, tier);
        expect(Number.isSafeInteger(before) && before >= 0).toBe(true);
        const prompt = { ...counts, promptTokens: counts.promptTokens + more };
        const completion = { ...counts, completionTokens: counts.completionTokens + more };
        expect(price(prompt, rates, tier)).toBeGreaterThanOrEqual(before);
        expect(price(completion, rates, tier)).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  it("are never higher for a cached token than for a plain one, nor lower for one that is written", () => {
    fc.assert(
      fc.property(anyUsage, anyRatesAndTier, (counts, [rates, tier]) => {
        const plain = price({ ...counts, cachedTokens: 0, cacheWriteTokens: 0 }, rates, tier);
        expect(price({ ...counts, cacheWriteTokens: 0 }, rates, tier)).toBeLessThanOrEqual(plain);
        expect(price({ ...counts, cachedTokens: 0 }, rates, tier)).toBeGreaterThanOrEqual(plain);
      }),
    );
  });

  it("are the sum of what input, cache and output cost alone, to the rounding", () => {
    fc.assert(
      fc.property(anyUsage, anyRatesAndTier, (counts, [whole, tier]) => {
        // The surcharge and the fee depend on the whole request, so parts are compared without them.
        const rates = { ...whole, longContext: false, perCallNanoUsd: 0 };
        const parts = [
          usage({ promptTokens: counts.promptTokens - counts.cachedTokens - counts.cacheWriteTokens }),
          usage({ promptTokens: counts.cachedTokens, cachedTokens: counts.cachedTokens }),
          usage({ promptTokens: counts.cacheWriteTokens, cacheWriteTokens: counts.cacheWriteTokens }),
          usage({ completionTokens: counts.completionTokens }),
        ];
        const sum = parts.reduce((total, part) => total + price(part, rates, tier), 0);
        expect(Math.abs(sum - price(counts, rates, tier))).toBeLessThanOrEqual(2);
      }),
    );
  });

  it("are exact where floating point is not", () => {
    const rates = { ...ratesOf("o1"), inputNanoUsd: 9_999_999 };
    expect(costOf(usage({ promptTokens: 900_719_925 }), rates, "default")).toBe(Number(900_719_925n * 9_999_999n));
  });
});

describe("formatUsd", () => {
  it("writes nano-dollars as dollars with nine decimals", () => {
    expect(formatUsd(446_850)).toBe("0.000446850");
    expect(formatUsd(0)).toBe("0.000000000");
    expect(formatUsd(1)).toBe("0.000000001");
    expect(formatUsd(12_345_678_901)).toBe("12.345678901");
    expect(formatUsd(Number.MAX_SAFE_INTEGER)).toBe("9007199.254740991");
  });
});
