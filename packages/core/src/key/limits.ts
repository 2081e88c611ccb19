import type { KeyBudget } from "../budget/schema.ts";

/** What a key may do; null where it is not limited. */
export interface KeyLimits {
  /** For one calendar month in UTC. */
  budgetNanoUsd: number | null;
  /** Names as requests write them. A family allows its dated snapshots too. */
  models: readonly string[] | null;
  /** Requests a minute that may lead to a call of OpenAI. */
  rpm: number | null;
  /** Output tokens that one request may ask for; of a key with a budget. */
  maxOutputTokens: number | null;
}

export const unlimited: KeyLimits = { budgetNanoUsd: null, models: null, rpm: null, maxOutputTokens: null };

/** The key that a request came with. */
export interface CallerKey extends KeyLimits {
  keyId: string;
}

/** What this key's calls are charged against; undefined when it has no budget. */
export const budgetOf = (key: CallerKey | null): KeyBudget | undefined =>
  key?.budgetNanoUsd == null
    ? undefined
    : {
        keyId: key.keyId,
        limitNanoUsd: key.budgetNanoUsd,
        ...(key.maxOutputTokens !== null && { maxOutputTokens: key.maxOutputTokens }),
      };

/** Pairs of text, all that API Gateway takes from an authorizer. A limit that a key has not is left out. */
export const toAuthorizerContext = ({
  keyId,
  budgetNanoUsd,
  models,
  rpm,
  maxOutputTokens,
}: CallerKey): Record<string, string> => ({
  key_id: keyId,
  ...(budgetNanoUsd !== null && { budget_nano_usd: String(budgetNanoUsd) }),
  ...(models !== null && { models: models.join(",") }),
  ...(rpm !== null && { rpm: String(rpm) }),
  ...(maxOutputTokens !== null && { max_output_tokens: String(maxOutputTokens) }),
});

/** The key again, from what `toAuthorizerContext` made. */
export function fromAuthorizerContext(context: Record<string, unknown>): CallerKey {
  const { key_id, budget_nano_usd, models, rpm, max_output_tokens } = context;
  return {
    keyId: String(key_id ?? ""),
    budgetNanoUsd: budget_nano_usd === undefined ? null : Number(budget_nano_usd),
    models: models === undefined ? null : String(models).split(","),
    rpm: rpm === undefined ? null : Number(rpm),
    maxOutputTokens: max_output_tokens === undefined ? null : Number(max_output_tokens),
  };
}
