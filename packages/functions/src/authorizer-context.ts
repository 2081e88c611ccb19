import type { CallerKey } from "@tollgate/core/key/limits";

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
