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
