import { models } from "@tollgate/core/model/catalogue";
import { modelNamed, type NamedModel } from "@tollgate/core/model/model";
import type { Usage } from "@tollgate/core/openai/usage";
import { type Billing, costOf, plainBilling } from "@tollgate/core/usage/cost";
import { priceOf, type Rates } from "@tollgate/core/usage/price";
import { exactly, priceField, tiers, type Use, uses, type Value } from "./facts.ts";

/** What core says of one model. Where it says several values of a field, another catalogue may have any of them. */
export type OwnFacts = ReadonlyMap<string, Value | readonly Value[]>;

/** Core's catalogue, as it is compared. */
export interface OwnCatalogue {
  /** Of each row that OpenAI still serves. */
  servedNames: readonly string[];
  /** Null when no row leads from this name. */
  factsOf(name: string): OwnFacts | null;
}

/** Core's catalogue on a day. Its prices are what a request costs then, as the ledger would have it, and not the row's numbers. */
export function ownCatalogue(today: Date): OwnCatalogue {
  const day = today.toISOString().slice(0, 10);
  return {
    servedNames: models.filter(({ ends }) => ends === null || ends.on > day).map(({ name }) => name),
    factsOf: (name) => {
      const named = modelNamed(name);
      return named && new Map([...pricesOf(priceOf(name, today)), ...otherFactsOf(named)]);
    },
  };
}

function* otherFactsOf({ model }: NamedModel): Generator<[string, Value | readonly Value[]]> {
  const { contextTokens, maxOutputTokens, ends } = model;
  yield ["ends", ends?.on ?? null];
  yield ["replacement", ends?.replacement ?? null];
  yield ["context", contextTokens];
  // The context of the older models, and what the longest answer leaves of it for those since gpt-5.
  yield ["longest prompt", [contextTokens, contextTokens - maxOutputTokens]];
  yield ["longest answer", maxOutputTokens];
  yield ["pictures", model.images !== null];
  yield ["audio", model.takesAudio];
}

function* pricesOf(rates: Rates | null): Generator<[string, Value]> {
  for (const tier of tiers)
    for (const use of uses)
      for (const isLong of [false, true]) {
        const before = isLong ? longPrompt : noTokens;
        yield [
          priceField(use, tier, isLong),
          priceOfMore(withTokens(before, use), before, rates, tier, billingOf(use)),
        ];
      }
  for (const direction of ["input", "output"] as const)
    yield [`audio ${direction}`, priceOfMore(withAudio(direction), noTokens, rates, "default", plainBilling)];
  yield ["fee per call", rates && exactly(rates.perCallNanoUsd / 1e9)];
}

/** Enough that no price is rounded: a cost is a whole number of nano-dollars, and prices have 32nds of one. */
const tokens = 100_000;

const noTokens: Usage = {
  promptTokens: 0,
  completionTokens: 0,
  totalTokens: 0,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};
const longPrompt: Usage = { ...noTokens, promptTokens: 300_000 };

function withTokens(before: Usage, use: Use): Usage {
  if (use === "output") return { ...before, completionTokens: tokens };
  const prompt = { ...before, promptTokens: before.promptTokens + tokens };
  if (use === "input") return prompt;
  return { ...prompt, [use === "cached input" ? "cachedTokens" : "cacheWriteTokens"]: tokens };
}

const withAudio = (direction: "input" | "output"): Usage =>
  direction === "input"
    ? { ...noTokens, promptTokens: tokens, hasAudio: true, audioPromptTokens: tokens, audioCompletionTokens: 0 }
    : { ...noTokens, completionTokens: tokens, hasAudio: true, audioPromptTokens: 0, audioCompletionTokens: tokens };

const billingOf = (use: Use): Billing => ({
  ...plainBilling,
  cacheLifetime: use === "cache write 12h" ? "12h" : "30m",
});

/** In $ per 1M tokens: what `tokens` more cost; null when core has no price for them. */
function priceOfMore(after: Usage, before: Usage, rates: Rates | null, tier: string, billing: Billing): number | null {
  if (rates === null) return null;
  const [costBefore, costAfter] = [costOf(before, rates, tier, billing), costOf(after, rates, tier, billing)];
  return costBefore === null || costAfter === null ? null : exactly((costAfter - costBefore) / tokens / 1_000);
}
