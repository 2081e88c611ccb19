import { openaiApiKey } from "./secret.ts";
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
      ...fromDeployer("OPENAI_BASE_URL", "PRICES"),
    },
  };
}

/** Variables that a stage may set when it is deployed; one that is not set is left out. */
function fromDeployer(...names: string[]) {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
