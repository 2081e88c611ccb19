import { setTimeout as delay } from "node:timers/promises";
import { usageFrom } from "@tollgate/core/openai/usage";
import { costOf } from "@tollgate/core/usage/cost";
import { priceOf } from "@tollgate/core/usage/price";
import { type Answer, type OpenAIProbe, Unreachable } from "./check.ts";

const attempts = 3;
const attemptTimeoutMs = 60_000;
const longestWaitMs = 30_000;

export interface ProbeClient extends OpenAIProbe {
  /** What the answers have cost so far, by their usage and today's prices. */
  costNanoUsd(): number;
}

export function createProbeClient(options: { baseUrl: string; apiKey: string; signal: AbortSignal }): ProbeClient {
  let spentNanoUsd = 0;

  async function request(method: string, path: string, key: string, body?: object): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(`${options.baseUrl.replace(/\/$/, "")}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        signal: AbortSignal.any([options.signal, AbortSignal.timeout(attemptTimeoutMs)]),
        ...(body && { body: JSON.stringify(body) }),
      }).catch((error: unknown) => {
        options.signal.throwIfAborted();
        const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
        throw new Unreachable(cause instanceof Error ? cause.message : String(cause));
      });
      const answer = { status: response.status, body: await response.json().catch(() => null) };
      if (response.status !== 429 && response.status < 500) return answer;
      if (attempt === attempts) throw new Unreachable(`OpenAI answered ${describe(answer)}, ${attempts} times`);
      const waitMs =
        Number(response.headers.get("retry-after-ms")) || Number(response.headers.get("retry-after")) * 1000;
      await delay(Math.min(longestWaitMs, waitMs || 1000 * attempt), undefined, { signal: options.signal });
    }
  }

  return {
    costNanoUsd: () => spentNanoUsd,
    get: (path) => request("GET", path, options.apiKey),
    async complete(body, { key = options.apiKey } = {}) {
      const answer = await request("POST", "/chat/completions", key, body);
      const usage = usageFrom(Object(answer.body).usage);
      const rates = priceOf(body.model, new Date());
      if (usage && rates) spentNanoUsd += costOf(usage, rates, "default") ?? 0;
      return answer;
    },
  };
}

/** `400 unsupported_parameter (max_tokens)`: an error by its status, its code and the parameter that it names. */
export function describe({ status, body }: Answer): string {
  const { code, param } = Object(Object(body).error);
  return [status, code, typeof param === "string" ? `(${param})` : null].filter(Boolean).join(" ");
}
