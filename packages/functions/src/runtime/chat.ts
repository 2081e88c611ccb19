import "./web.ts";
import type { ChatDeps } from "@tollgate/core/chat/chat";
import { createUpstream } from "@tollgate/core/openai/client";
import { parsePrices } from "@tollgate/core/usage/price";
import { createCallObserver } from "../observe.ts";
import { config, now, openaiApiKey, stageName } from "./config.ts";
import { store } from "./results.ts";
import { queueNamed } from "./sqs.ts";

const { DEFAULT_MODEL, OPENAI_BASE_URL, OPENAI_ATTEMPT_TIMEOUT_MS, OPENAI_BUDGET_MS, OPENAI_MAX_ATTEMPTS, PRICES } =
  config(
    "DEFAULT_MODEL",
    "OPENAI_BASE_URL",
    "OPENAI_ATTEMPT_TIMEOUT_MS",
    "OPENAI_BUDGET_MS",
    "OPENAI_MAX_ATTEMPTS",
    "PRICES",
  );

export const chatDeps: ChatDeps = {
  store,
  upstream: createUpstream({
    apiKey: openaiApiKey(),
    baseUrl: OPENAI_BASE_URL,
    attemptTimeoutMs: OPENAI_ATTEMPT_TIMEOUT_MS,
    budgetMs: OPENAI_BUDGET_MS,
    maxAttempts: OPENAI_MAX_ATTEMPTS,
    onCall: createCallObserver(stageName()),
  }),
  prices: parsePrices(PRICES),
  settlementQueue: queueNamed("SettleLaterQueue"),
  defaultModel: DEFAULT_MODEL,
  now,
};
