import { defaultModelWarning } from "../packages/core/src/model/default-model.ts";
import { resultTtl } from "./retention.ts";
import { openaiApiKey } from "./secret.ts";
import { settings } from "./settings.ts";
import { settleLaterQueue } from "./settle-later.ts";
import { images, ledger } from "./storage.ts";

/** The model of a request that names none. */
export const defaultModel = settings.DEFAULT_MODEL;
const warning = defaultModelWarning(defaultModel, new Date());
if (warning) console.warn(warning);

/** What a function needs that shows images. SST has npm choose sharp's files for the function's own system and processor. */
export const shrinking = {
  environment: { ...(settings.SHRINK_IMAGES && { SHRINK_IMAGES: "true" }) },
  install: settings.SHRINK_IMAGES ? ["sharp"] : [],
};

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
