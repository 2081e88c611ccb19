/** The catalogues that core's is compared with. */
export type CatalogueName = "openai" | "litellm" | "genai-prices";

/** A price in $ per 1M tokens, a number of tokens, a day (`YYYY-MM-DD`), a name, yes or no. Null: there is none. */
export type Value = number | string | boolean | null;

/** What a catalogue says of one model, by the field's name. It says nothing of a field that is left out. */
export type Facts = ReadonlyMap<string, Value>;

/** One of the other catalogues, read. */
export interface Catalogue {
  name: CatalogueName;
  /** By the model's full name: an alias and its snapshots are entries of their own. */
  models: ReadonlyMap<string, Facts>;
  /** Models that it knows, and that Chat Completions does not serve: images, speech, what only the Responses API has. */
  elsewhere?: ReadonlySet<string>;
  /** It has models of every API, and does not say which. */
  mixesApis?: true;
}

/** The service tiers whose prices are compared, as OpenAI names them. */
export const tiers = ["default", "flex", "batch", "priority"] as const;
export type Tier = (typeof tiers)[number];

/** What a token is used for. "30m" and "12h" are how long the prompt cache keeps it. */
export const uses = ["input", "cached input", "output", "cache write 30m", "cache write 12h"] as const;
export type Use = (typeof uses)[number];

/** `input`, `cached input (batch)`, `output (flex, long)`. "long" is a request of over 272,000 input tokens. */
export function priceField(use: Use, tier: Tier, isLong: boolean): string {
  const conditions = [...(tier === "default" ? [] : [tier]), ...(isLong ? ["long"] : [])];
  return conditions.length > 0 ? `${use} (${conditions.join(", ")})` : use;
}

/** Without the noise of floating point: 7.5e-8 * 1e6 is 0.075. */
export const exactly = (value: number): number => Number(value.toPrecision(12));

/** The facts that are there, without those whose value nobody gave. */
export function factsOf(entries: Iterable<readonly [field: string, value: Value | undefined]>): Facts {
  const facts = new Map<string, Value>();
  for (const [field, value] of entries) if (value !== undefined) facts.set(field, value);
  return facts;
}
