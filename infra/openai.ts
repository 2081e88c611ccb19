import { resultTtl } from "./retention.ts";
import { openaiApiKey } from "./secret.ts";
import { settings } from "./settings.ts";
import { settleLaterQueue } from "./settle-later.ts";
import { images, ledger } from "./storage.ts";

/** The model of a request that names none. */
export const defaultModel = "gpt-4o-mini";

/** Links and environment of a function that calls OpenAI. */
export function openai(limits: { openaiAttemptTimeoutMs: number; openaiBudgetMs: number; openaiMaxAttempts: number }) {
  return {
    link: [ledger, images, openaiApiKey, settleLaterQueue],
    environment: {
      DEFAULT_MODEL: defaultModel,
      OPENAI_ATTEMPT_TIMEOUT_MS: String(limits.openaiAttemptTimeoutMs),
      OPENAI_BUDGET_MS: String(limits.openaiBudgetMs),
      OPENAI_MAX_ATTEMPTS: String(limits.openaiMaxAttempts),
      ...(settings.OPENAI_BASE_URL && { OPENAI_BASE_URL: settings.OPENAI_BASE_URL }),
      ...(settings.PRICES && { PRICES: settings.PRICES }),
      ...resultTtl,
    },
  };
}
