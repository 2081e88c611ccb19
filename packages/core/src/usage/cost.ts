import type { TokenPrices } from "../model/model.ts";
import type { Usage } from "../openai/usage.ts";
import type { Rates } from "./price.ts";

/** Source: OpenAI's pricing page, checked 2026-11: above this many input tokens, the whole request costs more. */
const longContext = { aboveTokens: 272_000, inputQuarters: 8n, outputQuarters: 6n };

/**
 * What a token written to the prompt cache costs, in quarters of the input's price: 1.25 times for the usual 30 minutes and 2.5
 * times for 12 hours. Sources: OpenAI's pricing page, checked 2026-11; `cache_creation_input_token_cost_above_12hr` in LiteLLM 1.110.2.
 */
const cacheWriteQuarters = { "30m": 5n, "12h": 10n } as const;

/** What a request's price depends on besides its tokens. */
export interface Billing {
  /** How long the tokens stay that this request writes to the prompt cache; "mixed" when the sum alone does not tell. */
  cacheLifetime: keyof typeof cacheWriteQuarters | "mixed";
  /** It asks for a tool that is billed for each call. */
  searchesWeb: boolean;
}

export const plainBilling: Billing = { cacheLifetime: "30m", searchesWeb: false };

/**
 * What a request cost, in whole nano-dollars, or null when some of that has no known price: a service tier, audio of a model
 * that is not known to take any, a tool that is billed by the call, cache writes of several lifetimes. `serviceTier` is the one that
 * the response names; it may differ from the request's.
 *
 * `promptTokens` include cached and cache-write tokens, and `completionTokens` include reasoning tokens: each token is
 * priced once. Sums are exact (bigint) and rounded once at the end, half up, and the fee for the call is added to that. The number
 * returned is exact up to 2^53 nano-dollars, which is $9 million.
 */
export function costOf(usage: Usage, rates: Rates, serviceTier: string | null, billing = plainBilling): number | null {
  const tier = tierPrices(rates, serviceTier);
  const audio = audioPrices(usage, rates, serviceTier);
  const writeQuarters = writeQuartersOf(usage, rates, billing);
  const hasUnknownFee = billing.searchesWeb && rates.perCallNanoUsd === 0;
  if (tier === null || audio === null || writeQuarters === null || hasUnknownFee) return null;
  const isLong = rates.longContext && usage.promptTokens > longContext.aboveTokens;
  const [inputQuarters, outputQuarters] = isLong ? [longContext.inputQuarters, longContext.outputQuarters] : [4n, 4n];
  const plainTokens = usage.promptTokens - usage.cachedTokens - usage.cacheWriteTokens - audio.promptTokens;

  const input =
    4n * price(plainTokens, tier.inputNanoUsd) +
    4n * price(usage.cachedTokens, tier.cachedInputNanoUsd) +
    writeQuarters * price(usage.cacheWriteTokens, tier.inputNanoUsd) +
    4n * price(audio.promptTokens, audio.inputNanoUsd);
  const output =
    4n * price(usage.completionTokens - audio.completionTokens, tier.outputNanoUsd) +
    4n * price(audio.completionTokens, audio.outputNanoUsd);
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

/**
 * OpenAI answers `priority` to a request for `fast`, which is the same: `service_tier` in resources/chat/completions of openai
 * 7.57.0, read 2026-11-28.
 */
const sameTier: Record<string, string> = Object.assign(Object.create(null), { fast: "priority", auto: "default" });

function tierPrices(rates: Rates, serviceTier: string | null): (TokenPrices & { halves: bigint }) | null {
  const named = serviceTier || "default";
  const tier = sameTier[named] ?? named;
  const own = rates.serviceTiers.get(named) ?? rates.serviceTiers.get(tier);
  if (own !== undefined) return { ...own, halves: 2n };
  if (tier === "default") return { ...rates, halves: 2n };
  // Source: OpenAI's pricing page, checked 2026-11: batch and flex cost half, where the page has them.
  return rates.halfPriceTiers.some((half) => half === tier) ? { ...rates, halves: 1n } : null;
}

const noAudio = { promptTokens: 0, completionTokens: 0, inputNanoUsd: 0, outputNanoUsd: 0 };

/** OpenAI lists one price of audio for each direction: none for audio that was cached, nor for another tier than the default. */
function audioPrices(usage: Usage, rates: Rates, serviceTier: string | null): typeof noAudio | null {
  if (!usage.hasAudio) return noAudio;
  const { audioPromptTokens, audioCompletionTokens, cachedTokens, cacheWriteTokens } = usage;
  const isDefault = ["default", "auto"].includes(serviceTier || "default");
  if (!rates.audio || !isDefault || cachedTokens + cacheWriteTokens > 0) return null;
  if (audioPromptTokens === undefined || audioCompletionTokens === undefined) return null;
  return { promptTokens: audioPromptTokens, completionTokens: audioCompletionTokens, ...rates.audio };
}

function writeQuartersOf(
  { cacheWriteTokens }: Usage,
  { cacheWrites }: Rates,
  { cacheLifetime }: Billing,
): bigint | null {
  if (!cacheWrites || cacheWriteTokens === 0) return 4n;
  return cacheLifetime === "mixed" ? null : cacheWriteQuarters[cacheLifetime];
}

function price(tokens: number, nanoUsd: number): bigint {
  return BigInt(tokens) * BigInt(nanoUsd);
}
