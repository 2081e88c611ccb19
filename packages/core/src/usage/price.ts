import * as z from "zod";
import { familyOf, modelNamed, type NamedModel, type Prices, spellingOf, type TokenPrices } from "../model/model.ts";
import { at, type Problem } from "../structured/problem.ts";

/** What one model's tokens cost on one day. */
export interface Rates extends TokenPrices {
  longContext: boolean;
  cacheWrites: boolean;
  /** The service tiers that cost half; another one is unpriced, unless `serviceTiers` has it. */
  halfPriceTiers: readonly ("flex" | "batch")[];
  /** Audio tokens; null when the model has none, or nobody knows what they cost. */
  audio: { inputNanoUsd: number; outputNanoUsd: number } | null;
  /** A fee for each request, on top of its tokens. */
  perCallNanoUsd: number;
  /** Prices of service tiers that do not follow from the default's, by OpenAI's name of the tier (`priority`). */
  serviceTiers: ReadonlyMap<string, TokenPrices>;
}

/** A stage's own prices of a model. What it does not say of audio and of the fee for a call stays as the catalogue has it. */
type Override = Omit<Rates, "audio" | "perCallNanoUsd"> & Partial<Pick<Rates, "perCallNanoUsd">>;

/** By the name that the stage gives: a family, a snapshot, an alias, or any spelling of one. */
export type PriceOverrides = ReadonlyMap<string, Override>;

/**
 * The prices of `model` (as the response names it) then, or null when they are not known: an unknown model is unpriced, never
 * free. A stage's override counts before the catalogue, and an exact name before its family.
 */
export function priceOf(model: string, when: Date, overrides: PriceOverrides = new Map()): Rates | null {
  const named = modelNamed(model);
  const prices = named && pricesOn(named.isFineTuned ? named.model.fineTunedPrices : named.model.prices, when);
  const listed = prices && ratesFrom(prices);
  const own = overrideOf(model, named, overrides);
  return own ? { perCallNanoUsd: listed?.perCallNanoUsd ?? 0, audio: listed?.audio ?? null, ...own } : listed;
}

/**
 * The stage's own prices of a model: by its exact name, else by another spelling of it, else by its family. A family's do not
 * hold for a snapshot that has its own row in the catalogue, nor for a fine-tuned model, which costs more.
 */
function overrideOf(model: string, row: NamedModel | null, overrides: PriceOverrides): Override | undefined {
  if (overrides.size === 0) return undefined;
  const exact = overrides.get(model);
  if (exact) return exact;
  const [spelling, family] = [spellingOf(model), familyOf(spellingOf(model))];
  // `ft:gpt-4o-mini-2024-07-18:acme::x` without its owner and its own name.
  const [fineTunedBase] = /^ft:[^:]+(?=:)/.exec(spelling) ?? [];
  const hasOwnRow = row?.model.name === spelling && spelling !== family;
  const byNames = (matches: (name: string) => boolean) =>
    [...overrides].find(([name]) => matches(spellingOf(name)))?.[1];
  const ofRow = (name: string) => familyOf(name) === name && row !== null && isSameRow(row, modelNamed(name));
  return (
    byNames((name) => name === spelling || name === fineTunedBase) ??
    (hasOwnRow ? undefined : (byNames((name) => name === family) ?? byNames(ofRow)))
  );
}

const isSameRow = (a: NamedModel, b: NamedModel | null): boolean =>
  b !== null && a.model === b.model && a.isFineTuned === b.isFineTuned;

/** The entry that holds on a day: the last that began by then. */
function pricesOn(entries: readonly Prices[], when: Date): Prices | null {
  const day = when.toISOString().slice(0, 10);
  const begun = entries.filter(({ from }) => from <= day);
  return begun.reduce<Prices | null>((last, entry) => (last === null || entry.from > last.from ? entry : last), null);
}

const ratesFrom = ({ priority, batch, ...prices }: Prices): Rates => ({
  ...prices,
  serviceTiers: new Map(
    Object.entries({ priority, batch }).flatMap(([tier, own]): [string, TokenPrices][] => (own ? [[tier, own]] : [])),
  ),
});

/** Dollars as people write them, as a whole number: so many decimals are exact, and more digits are a slip of the pen. */
const dollars = (maxDigits: number, decimals: number, message: string) =>
  z.union([z.string(), z.number()]).transform((written, context) => {
    const amount = new RegExp(`^\\$?(\\d{1,${maxDigits}})(?:\\.(\\d{1,${decimals}})0*)?$`);
    const match = amount.exec(String(written).trim());
    if (match === null) {
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    }
    const [, whole = "", fraction = ""] = match;
    return Number(whole + fraction.padEnd(decimals, "0"));
  });

/** $1 per 1M tokens is 1,000 nano-dollars a token. */
const dollarsPerMillion = dollars(
  4,
  3,
  "A price is in $ per 1M tokens, below 10000 and with at most 3 decimals, such as 0.15.",
);

/** $0.01 is 10,000,000 nano-dollars. */
const dollarsPerCall = dollars(
  3,
  9,
  "A fee is in $ for each request, below 1000 and with at most 9 decimals, such as 0.01.",
);

const tokenPrices = { input: dollarsPerMillion, cached_input: dollarsPerMillion.optional(), output: dollarsPerMillion };

const overridesSchema = z.record(
  z.string().min(1),
  z.strictObject({
    ...tokenPrices,
    long_context: z.boolean().default(false),
    cache_writes: z.boolean().default(false),
    per_call: dollarsPerCall.optional(),
    service_tiers: z.record(z.string().min(1), z.strictObject(tokenPrices)).default({}),
  }),
);

/**
 * A stage's own prices, in $ per 1M tokens as people write them, numbers or strings:
 * `{"gpt-4o-mini": {"input": "0.15", "cached_input": 0.075, "output": 0.6}}`. `cached_input` is `input` when left out;
 * `long_context` and `cache_writes` switch OpenAI's surcharges on; `service_tiers: {"priority": {…}}` prices a tier, and flex and batch
 * cost half unless it does; `per_call` is a fee in $ for each request.
 * Each problem's path names the wrong key (`gpt-4o-mini.output`, `["gpt-4.1"].output`).
 */
export function parsePriceOverrides(
  json: unknown,
): { ok: true; overrides: PriceOverrides } | { ok: false; problems: Problem[] } {
  const parsed = overridesSchema.safeParse(json);
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap(problemsOf) };
  const overrides = Object.entries(parsed.data).map(([model, written]): [string, Override] => [
    model,
    {
      ...pricesFrom(written),
      longContext: written.long_context,
      cacheWrites: written.cache_writes,
      halfPriceTiers: ["flex", "batch"],
      ...(written.per_call !== undefined && { perCallNanoUsd: written.per_call }),
      serviceTiers: new Map(Object.entries(written.service_tiers).map(([tier, own]) => [tier, pricesFrom(own)])),
    },
  ]);
  return { ok: true, overrides: new Map(overrides) };
}

function pricesFrom(written: { input: number; cached_input?: number | undefined; output: number }): TokenPrices {
  return {
    inputNanoUsd: written.input,
    cachedInputNanoUsd: written.cached_input ?? written.input,
    outputNanoUsd: written.output,
  };
}

/** zod puts a surplus key into the message of the object that holds it; here it is the path. */
function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.reduce<string>((whole, key) => at(whole, String(key)), "");
  if (issue.code !== "unrecognized_keys") return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({ path: at(path, key), message: "Unknown key.", mend: "remove it" }));
}

/** The stage's own prices, as JSON in `PRICES`. Throws one error that names every wrong key. */
export function parsePrices(json: string | undefined): PriceOverrides {
  const parsed = parsePriceOverrides(json ? parseJson(json) : {});
  if (parsed.ok) return parsed.overrides;
  const wrong = parsed.problems.map(({ path, message }) => (path ? `${path}: ${message}` : message));
  throw new Error(`PRICES: ${wrong.join(" ")}`);
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error('PRICES: This is not JSON. Give {"<model>": {"input": 0.15, "output": 0.60}}, in $ per 1M tokens.');
  }
}
