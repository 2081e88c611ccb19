import type { TokenPrices } from "../model/model.ts";
import type { Rates } from "./price.ts";
import type { Usage } from "./usage.ts";

/** Source: OpenAI's pricing page, checked 2026-11: above this many input tokens, the whole request costs more. */
const longContext = { aboveTokens: 272_000, inputQuarters: 8n, outputQuarters: 6n };
/** Source: OpenAI's pricing page, checked 2026-11: a token written to the cache costs 1.25 times the input. */
const cacheWriteQuarters = 5n;

/**
 * What a request cost, in whole nano-dollars, or null when the tier that served it has no known price (`priority` and
 * `scale`, unless the stage gives one), or of some of its tokens: those of audio. `serviceTier` is the one that the response names; it
 * may differ from the request's.
 *
 * `promptTokens` include cached and cache-write tokens, and `completionTokens` include reasoning tokens: each token is
 * priced once. Sums are exact (bigint) and rounded once at
 * the end, half up. The number returned is exact up to 2^53 nano-dollars, which is $9 million.
 */
export function costOf(usage: Usage, rates: Rates, serviceTier: string | null): number | null {
  const tier = tierPrices(rates, serviceTier);
  if (tier === null || usage.hasAudio) return null;
  const isLong = rates.longContext && usage.promptTokens > longContext.aboveTokens;
  const [inputQuarters, outputQuarters] = isLong ? [longContext.inputQuarters, longContext.outputQuarters] : [4n, 4n];
  const writeQuarters = rates.cacheWrites ? cacheWriteQuarters : 4n;
  const plainTokens = usage.promptTokens - usage.cachedTokens - usage.cacheWriteTokens;

  const input =
    4n * price(plainTokens, tier.inputNanoUsd) +
    4n * price(usage.cachedTokens, tier.cachedInputNanoUsd) +
    writeQuarters * price(usage.cacheWriteTokens, tier.inputNanoUsd);
  const output = 4n * price(usage.completionTokens, tier.outputNanoUsd);
  // Quarters of the surcharge times quarters of the cache write, and halves of the tier.
  const parts = (input * inputQuarters + output * outputQuarters) * tier.halves;
  const partsPerNanoUsd = 4n * 4n * 2n;
  return Number((parts + partsPerNanoUsd / 2n) / partsPerNanoUsd) + rates.perCallNanoUsd;
}

/** `446850` is `"0.000446850"`: dollars with all nine decimals, exact. */
export function formatUsd(costNanoUsd: number): string {
  const digits = BigInt(costNanoUsd).toString().padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

function tierPrices(rates: Rates, serviceTier: string | null): (TokenPrices & { halves: bigint }) | null {
  const tier = serviceTier ?? "default";
  const own = rates.serviceTiers.get(tier);
  if (own !== undefined) return { ...own, halves: 2n };
  if (tier === "default" || tier === "auto") return { ...rates, halves: 2n };
  // Source: OpenAI's pricing page, checked 2026-11: batch and flex cost half.
  if (tier === "batch" || tier === "flex") return { ...rates, halves: 1n };
  return null;
}

function price(tokens: number, nanoUsd: number): bigint {
  return BigInt(tokens) * BigInt(nanoUsd);
}
