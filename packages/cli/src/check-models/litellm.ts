import * as z from "zod";
import {
  type Catalogue,
  exactly,
  type Facts,
  factsOf,
  priceField,
  type Tier,
  tiers,
  type Use,
  type Value,
} from "./facts.ts";

const entrySchema = z.looseObject({
  litellm_provider: z.string().optional(),
  mode: z.string().optional(),
  supported_endpoints: z.array(z.string()).optional(),
  supported_modalities: z.array(z.string()).optional(),
  supports_vision: z.boolean().nullish(),
  supports_audio_input: z.boolean().nullish(),
  deprecation_date: z.string().nullish(),
  successor_model: z.string().nullish(),
  max_input_tokens: z.number().nullish(),
  max_output_tokens: z.number().nullish(),
  input_cost_per_audio_token: z.number().nullish(),
  output_cost_per_audio_token: z.number().nullish(),
  search_context_cost_per_query: z.record(z.string(), z.number()).nullish(),
});
type Entry = z.infer<typeof entrySchema>;

/**
 * LiteLLM's table, `litellm/model_prices_and_context_window_backup.json`: its entries for OpenAI's Chat Completions. Its prices
 * are in $ a token. The fields are those of 1.110.2, read on 2026-11-28. @throws Error when it has no such entry, or one whose fields have another type.
 */
export function readLiteLLM(table: unknown): Catalogue {
  const entries = Object.entries(z.record(z.string(), z.looseObject({})).parse(table)).filter(
    ([name, { litellm_provider }]) => litellm_provider === "openai" && !name.includes("/"),
  );
  const models = new Map<string, Facts>();
  const elsewhere = new Set<string>();
  for (const [name, written] of entries) {
    const entry = entrySchema.parse(written);
    const endpoints = entry.supported_endpoints ?? ["/v1/chat/completions"];
    if (entry.mode === "chat" && endpoints.includes("/v1/chat/completions"))
      models.set(name, factsOf(factsIn(name, entry)));
    else elsewhere.add(name);
  }
  if (models.size === 0) throw new Error("LiteLLM's table has no model of OpenAI's Chat Completions.");
  return { name: "litellm", models, elsewhere };
}

function* factsIn(name: string, entry: Entry): Generator<[string, Value | undefined]> {
  yield ["ends", entry.deprecation_date ?? undefined];
  yield ["replacement", entry.successor_model ?? undefined];
  yield ["longest prompt", entry.max_input_tokens ?? undefined];
  yield ["longest answer", entry.max_output_tokens ?? undefined];
  yield ["pictures", entry.supported_modalities?.includes("image") ?? entry.supports_vision ?? undefined];
  yield ["audio", entry.supported_modalities?.includes("audio") ?? entry.supports_audio_input ?? undefined];
  yield ["audio input", perMillion(entry.input_cost_per_audio_token)];
  yield ["audio output", perMillion(entry.output_cost_per_audio_token)];
  // It has the fee of the Responses API's tool with every other model.
  if (name.includes("search")) yield ["fee per call", entry.search_context_cost_per_query?.search_context_size_medium];
  for (const tier of tiers) for (const isLong of [false, true]) yield* pricesIn(entry, tier, isLong);
}

/** `cache_read_input_token_cost_above_272k_tokens_flex`: the use, then how long the cache keeps it, the length of the prompt and the tier. */
const costs: Record<Use, string> = {
  input: "input_cost_per_token",
  "cached input": "cache_read_input_token_cost",
  output: "output_cost_per_token",
  "cache write 30m": "cache_creation_input_token_cost",
  "cache write 12h": "cache_creation_input_token_cost_above_12hr",
};
const suffixes: Record<Tier, string> = { default: "", flex: "_flex", batch: "_batches", priority: "_priority" };

function* pricesIn(entry: Entry, tier: Tier, isLong: boolean): Generator<[string, Value | undefined]> {
  const price = (use: Use) => perMillion(entry[`${costs[use]}${isLong ? "_above_272k_tokens" : ""}${suffixes[tier]}`]);
  for (const use of Object.keys(costs) as Use[]) {
    // OpenAI's page has "-" where cached input has no discount, and the table then leaves it out.
    yield [priceField(use, tier, isLong), price(use) ?? (use === "cached input" ? price("input") : undefined)];
  }
}

const perMillion = (dollarsPerToken: unknown): number | undefined =>
  typeof dollarsPerToken === "number" ? exactly(dollarsPerToken * 1e6) : undefined;
