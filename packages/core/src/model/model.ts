import { models } from "./catalogue.ts";

/** What one token costs, in nano-dollars: $0.15 per 1M tokens is 150. */
export interface TokenPrices {
  inputNanoUsd: number;
  cachedInputNanoUsd: number;
  outputNanoUsd: number;
}

/** The prices of one model from one day on. */
export interface Prices extends TokenPrices {
  /** The first day, in UTC, for which these prices are vouched for: `YYYY-MM-DD`. */
  from: string;
  /** Above 272,000 input tokens the whole request costs more (`usage/cost.ts`). */
  longContext: boolean;
  /** Tokens that are written to the prompt cache cost more than other input, by how long they stay there (`usage/cost.ts`). */
  cacheWrites: boolean;
  /** The service tiers that OpenAI's page lists, for half the price. One that has no price of its own either is unpriced. */
  halfPriceTiers: readonly ("flex" | "batch")[];
  /** Null when OpenAI lists no price for the service tier `priority`. */
  priority: TokenPrices | null;
  /** Of the service tier `batch`, where it is not half of every price. */
  batch: TokenPrices | null;
  /** Audio tokens; null when the model has none. */
  audio: { inputNanoUsd: number; outputNanoUsd: number } | null;
  /** A fee for each request, on top of its tokens: search models search the web once. */
  perCallNanoUsd: number;
  source: string;
}

/** How many tokens a picture costs. */
export type ImageRule =
  /** `base` at low detail, and `tile` more for each tile of 512 × 512 pixels. */
  | { kind: "tiles"; base: number; tile: number }
  | {
      kind: "patches";
      /** Tokens for each patch of 32 × 32 pixels. */
      tokensPerPatch: number;
      /** At detail `low`, `high` and, unless `autoIsOriginal`, `auto`. */
      high: PatchLimit;
      /** At detail `original`; null when the model does not take it. */
      original: PatchLimit | null;
      /** The model sees a picture at `original` when the request says `auto`, or nothing. */
      autoIsOriginal: boolean;
    };

/** To what OpenAI shrinks a picture before a model sees it. */
export interface PatchLimit {
  maxPatches: number;
  /** In pixels. */
  maxSide: number;
}

export type Effort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

/** One row of the catalogue. */
export interface Model {
  /** A family (`gpt-4o-mini`), or a snapshot that differs from its family (`gpt-4o-2024-05-13`). */
  name: string;
  /** Other names for the same model: `gpt-5.6` is `gpt-5.6-sol`. */
  aliases: readonly string[];
  prices: readonly Prices[];
  /** What a fine-tuned model of this family costs; empty when nobody here knows. */
  fineTunedPrices: readonly Prices[];
  /** The most tokens that a request and its answer have together. */
  contextTokens: number;
  /** The most tokens that the model writes in one choice, reasoning included. */
  maxOutputTokens: number;
  /** Null when the model takes no pictures. */
  images: ImageRule | null;
  takesAudio: boolean;
  /** `max_tokens` works; where it does not, `max_completion_tokens` does. */
  takesMaxTokens: boolean;
  /** The values of `reasoning_effort` on Chat Completions, and the one that holds when the request names none; empty for models that do not reason. */
  efforts: readonly Effort[];
  defaultEffort: Effort | null;
  /** When `temperature`, `top_p` and their kind work: always, only with the effort `none`, or never. */
  temperature: "always" | "effort none" | "never";
  /** When function tools work on Chat Completions. "no effort": when the request names none, or `none`. */
  chatTools: "always" | "no effort" | "effort none" | "never";
  /** The first day, in UTC, on which OpenAI no longer serves it, `YYYY-MM-DD`, and OpenAI's replacement; null when no end is announced. */
  ends: { on: string; replacement: string | null } | null;
}

/** The name without a snapshot's date: `gpt-4o-mini-2024-07-18` is `gpt-4o-mini`. */
export const familyOf = (name: string): string => name.replace(/-\d{4}-\d{2}-\d{2}$/, "");

/** A model by the name that a request or an answer gives it. */
export interface NamedModel {
  model: Model;
  isFineTuned: boolean;
}

/**
 * The row of a model, or null when there is none: nothing is guessed, so `gpt-4o-transcribe` is not `gpt-4o`. An exact name
 * counts before its family. These spellings lead to the same row:
 *
 *   gpt-4o-mini-2024-07-18                    a snapshot
 *   openai/gpt-4o-mini, azure/gpt-4o-mini     a provider's prefix
 *   gpt-35-turbo, gpt-4-1-mini                Azure's spelling, which has no dots
 *   ft:gpt-4o-mini-2024-07-18:acme::x         a fine-tuned model
 */
export function modelNamed(name: string): NamedModel | null {
  const spelling = spellingOf(name);
  const [, tuned] = /^ft:([^:]+)(?::|$)/.exec(spelling) ?? [];
  const base = tuned === undefined ? spelling : withDots(tuned);
  const model = byName.get(base) ?? byName.get(familyOf(base));
  return model ? { model, isFineTuned: tuned !== undefined } : null;
}

/** The name without a provider's prefix, and with OpenAI's own dots. */
export const spellingOf = (name: string): string => withDots(name.replace(/^(?:openrouter\/)?(?:openai|azure)\//, ""));

/** Azure's names have no dots: `gpt-35-turbo` is `gpt-3.5-turbo`, `gpt-4-1-mini` is `gpt-4.1-mini`. `gpt-4-0613` stays. */
const withDots = (name: string): string =>
  name.replace(/^gpt-35(?=-|$)/, "gpt-3.5").replace(/^gpt-(\d)-(\d)(?=-|$)/, "gpt-$1.$2");

const byName: ReadonlyMap<string, Model> = new Map(
  models.flatMap((model) => [model.name, ...model.aliases].map((name): [string, Model] => [name, model])),
);

/** Whole days from `now` to the day on which the model ends, below 0 after it; null when it has no end. */
export function daysLeft({ ends }: Model, now: Date): number | null {
  if (!ends) return null;
  const day = 86_400_000;
  return Math.floor(Date.parse(ends.on) / day) - Math.floor(now.getTime() / day);
}

/** o-series, gpt-5 and later: models that are not in the catalogue yet go by what their names have in common. */
const looksLikeReasoning = /^(?:o\d|gpt-(?:[5-9]|\d{2}))(?![a-z])/;

/** Whether a model refuses `max_tokens` and takes `max_completion_tokens`. */
export function needsMaxCompletionTokens(name: string): boolean {
  const known = modelNamed(name);
  return known ? !known.model.takesMaxTokens : looksLikeReasoning.test(spellingOf(name).replace(/^ft:/, ""));
}
