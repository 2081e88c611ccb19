import * as z from "zod";
import { familyOf, modelNamed, type Prices, type TokenPrices } from "../model/model.ts";
import { at, type Problem } from "../structured/problem.ts";

/** What one model's tokens cost on one day. */
export interface Rates extends TokenPrices {
  longContext: boolean;
  cacheWrites: boolean;
  /** A fee for each request, on top of its tokens. */
  perCallNanoUsd: number;
  /** Prices of service tiers that do not follow from the default's, by OpenAI's name of the tier (`priority`). */
  serviceTiers: ReadonlyMap<string, TokenPrices>;
}

export type PriceOverrides = ReadonlyMap<string, Rates>;

/**
 * The prices of `model` (as the response names it) then, or null when they are not known: an unknown model is unpriced, never
 * free. A stage's override counts before the catalogue, and an exact name before its family.
 */
export function priceOf(model: string, when: Date, overrides: PriceOverrides = new Map()): Rates | null {
  const override = overrides.get(model);
  if (override) return override;
  const named = modelNamed(model);
  const hasOwnRow = named?.model.name === model;
  const ofFamily = hasOwnRow ? undefined : overrides.get(familyOf(model));
  if (ofFamily) return ofFamily;
  if (!named) return null;
  const prices = pricesOn(named.isFineTuned ? named.model.fineTunedPrices : named.model.prices, when);
  return prices && ratesFrom(prices);
}

/** The entry that holds on a day: the last that began by then. */
function pricesOn(entries: readonly Prices[], when: Date): Prices | null {
  const day = when.toISOString().slice(0, 10);
  const begun = entries.filter(({ from }) => from <= day);
  return begun.reduce<Prices | null>((last, entry) => (last === null || entry.from > last.from ? entry : last), null);
}

const ratesFrom = ({ priority, ...prices }: Prices): Rates => ({
  ...prices,
  serviceTiers: new Map(priority ? [["priority", priority]] : []),
});

/** $1 per 1M tokens is 1,000 nano-dollars a token, so three decimals are exact; above $10,000 is a slip of the pen. */
const dollarsPerMillion = z.union([z.string(), z.number()]).transform((written, context) => {
  const match = /^\$?(\d{1,4})(?:\.(\d{1,3})0*)?$/.exec(String(written).trim());
  if (match === null) {
    context.addIssue({
      code: "custom",
      message: "A price is in $ per 1M tokens, below 10000 and with at most 3 decimals, such as 0.15.",
    });
    return z.NEVER;
  }
  const [, dollars = "", decimals = ""] = match;
  return Number(dollars + decimals.padEnd(3, "0"));
});

const tokenPrices = { input: dollarsPerMillion, cached_input: dollarsPerMillion.optional(), output: dollarsPerMillion };

const overridesSchema = z.record(
  z.string().min(1),
  z.strictObject({
    ...tokenPrices,
    long_context: z.boolean().default(false),
    cache_writes: z.boolean().default(false),
    service_tiers: z.record(z.string().min(1), z.strictObject(tokenPrices)).default({}),
  }),
);

/**
 * A stage's own prices, in $ per 1M tokens as people write them, numbers or strings:
 * `{"gpt-4o-mini": {"input": "0.15", "cached_input": 0.075, "output": 0.6}}`. `cached_input` is `input` when left out;
 * `long_context` and `cache_writes` switch OpenAI's surcharges on; `service_tiers: {"priority": {…}}` prices a tier.
 * Each problem's path names the wrong key (`gpt-4o-mini.output`, `["gpt-4.1"].output`).
 */
export function parsePriceOverrides(
  json: unknown,
): { ok: true; overrides: PriceOverrides } | { ok: false; problems: Problem[] } {
  const parsed = overridesSchema.safeParse(json);
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap(problemsOf) };
  const overrides = Object.entries(parsed.data).map(([model, written]): [string, Rates] => [
    model,
    {
      ...pricesFrom(written),
      longContext: written.long_context,
      cacheWrites: written.cache_writes,
      perCallNanoUsd: 0,
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
