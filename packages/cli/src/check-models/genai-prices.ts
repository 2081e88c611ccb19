import * as z from "zod";
import { type Catalogue, exactly, type Facts, factsOf, priceField, type Use, type Value } from "./facts.ts";

/** $ per 1M tokens: the same for every request, or another one from so many tokens of the prompt on. */
const priceSchema = z.union([
  z.number(),
  z.looseObject({ base: z.number(), tiers: z.array(z.looseObject({ start: z.number(), price: z.number() })) }),
]);
type Price = z.infer<typeof priceSchema>;
const pricesSchema = z.record(z.string(), z.unknown());
const datedSchema = z.looseObject({
  constraint: z.looseObject({ type: z.string(), start_date: z.string().optional() }).optional(),
  prices: pricesSchema,
});
const modelSchema = z.looseObject({
  id: z.string(),
  match: z.unknown(),
  context_window: z.number().optional(),
  prices: z.union([z.array(datedSchema), pricesSchema]),
});

/**
 * Pydantic's genai-prices: `findProvider({ providerId: "openai" }).models` of npm's `@pydantic/genai-prices`, as JSON. Its shapes
 * are those of 0.1.8, read on 2026-11-28. It has prices and contexts, and neither says which API serves a model nor when it ends. @throws Error
 */
export function readGenaiPrices(models: unknown, today: Date): Catalogue {
  const facts = new Map<string, Facts>();
  for (const { match, context_window, prices } of z.array(modelSchema).parse(models)) {
    const own = factsOf([["context", context_window], ...pricesIn(pricesOn(prices, today))]);
    for (const name of namesIn(match)) facts.set(name, own);
  }
  if (facts.size === 0) throw new Error("genai-prices has no model of OpenAI's.");
  return { name: "genai-prices", models: facts, mixesApis: true };
}

/** The names that it matches whole. A rule for names that OpenAI may give some day names no model. */
function namesIn(match: unknown): string[] {
  const rule = z.looseObject({ equals: z.string().optional(), or: z.array(z.unknown()).optional() }).parse(match);
  return [...(rule.equals === undefined ? [] : [rule.equals]), ...(rule.or ?? []).flatMap(namesIn)];
}

/** The entry that holds on a day: the last that has begun. One for hours of the day is none of OpenAI's. */
function pricesOn(prices: z.infer<typeof modelSchema>["prices"], today: Date): Record<string, unknown> {
  if (!Array.isArray(prices)) return prices;
  const day = today.toISOString().slice(0, 10);
  const begun = prices
    .map((entry) => ({ ...entry, from: entry.constraint ? entry.constraint.start_date : "" }))
    .filter(({ from }) => from !== undefined && from <= day)
    .sort((a, b) => ((a.from ?? "") < (b.from ?? "") ? -1 : 1));
  return begun.at(-1)?.prices ?? {};
}

const keys: Partial<Record<Use, string>> = {
  input: "input_mtok",
  "cached input": "cache_read_mtok",
  output: "output_mtok",
  "cache write 30m": "cache_write_mtok",
};

function* pricesIn(prices: Record<string, unknown>): Generator<[string, Value | undefined]> {
  const price = (key: string, isLong = false) => {
    const { data } = priceSchema.safeParse(prices[key]);
    if (data === undefined || (isLong && typeof data === "number")) return undefined;
    return at(data, isLong ? 400_000 : 100_000);
  };
  for (const [use, key] of Object.entries(keys) as [Use, string][])
    for (const isLong of [false, true]) {
      // It charges cached input as other input where it has no price of its own.
      const own = price(key, isLong) ?? (use === "cached input" ? price("input_mtok", isLong) : undefined);
      yield [priceField(use, "default", isLong), own];
    }
  yield ["audio input", price("input_audio_mtok")];
  yield ["audio output", price("output_audio_mtok")];
}

/** A tier holds for the whole request, as OpenAI's do. */
function at(price: Price, promptTokens: number): number {
  if (typeof price === "number") return exactly(price);
  const begun = price.tiers.filter(({ start }) => promptTokens > start).sort((a, b) => a.start - b.start);
  return exactly(begun.at(-1)?.price ?? price.base);
}
