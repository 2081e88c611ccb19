import { perform } from "@tollgate/core/completion/run";
import { expect, it } from "vitest";
import { readResult } from "../../../packages/core/src/result/store.ts";
import { jobOf, startAccount } from "../budget/account.ts";
import { countersOf, problemsOf } from "./ledger.ts";

const { deps } = await startAccount();

const hello = [{ role: "user" as const, content: "Hello" }];
const cached = (ttl: "30m" | "12h") => [
  {
    role: "user" as const,
    content: [{ type: "text" as const, text: "Hello", prompt_cache_breakpoint: { mode: "explicit" as const, ttl } }],
  },
];
const explicit = { mode: "explicit" as const };
/** 1,000 tokens of prompt, of which 400 were written to the cache, and 10 of answer. */
const written = { prompt_tokens: 1_000, completion_tokens: 10, prompt_tokens_details: { cache_write_tokens: 400 } };
const plain = { prompt_tokens: 1_000, completion_tokens: 10 };
const spoken = {
  ...plain,
  prompt_tokens_details: { audio_tokens: 100 },
  completion_tokens_details: { audio_tokens: 8 },
};

it.each([
  ["cache writes of 30 minutes", "gpt-6-luna", { messages: hello }, written, null, 600 * 100 + 400 * 125 + 10 * 500],
  [
    "cache writes of 12 hours",
    "gpt-6-luna",
    { messages: cached("12h"), prompt_cache_options: explicit },
    written,
    null,
    600 * 100 + 400 * 250 + 10 * 500,
  ],
  ["cache writes of several lifetimes", "gpt-6-luna", { messages: cached("12h") }, written, null, null],
  ["the tier priority", "gpt-6.1-sol", { messages: hello }, plain, "priority", 1_000 * 4_000 + 10 * 20_000],
  ["a tier that nobody knows", "gpt-6.1-sol", { messages: hello }, plain, "ultrafast", null],
  ["a search model", "gpt-5-search-api", { messages: hello }, plain, null, 1_000 * 1_250 + 10 * 10_000 + 10_000_000],
  ["a search without a known fee", "gpt-6-luna", { messages: hello, web_search_options: {} }, plain, null, null],
  ["audio", "gpt-audio", { messages: hello }, spoken, null, 900 * 2_500 + 100 * 32_000 + 2 * 10_000 + 8 * 64_000],
] as const)(
  "an answer with %s stands on the ledger by its price, or as unpriced",
  async (what, model, params, usage, tier, nanoUsd) => {
    const choices = [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }];
    const body = { id: "chatcmpl-1", model, choices, usage, ...(tier && { service_tier: tier }) };
    const completion = { text: JSON.stringify(body), body, requestId: null, attempts: 1, possiblyBilledAttempts: 0 };
    const upstream = { ...deps.upstream, complete: async () => completion };
    const owner = what.replaceAll(" ", "-");
    const prepare = () => ({
      params: { model, ...structuredClone(params) } as never,
      format: { type: "text" as const },
    });
    const job = jobOf("key", 0, { key: null, owner, model, prepare });

    const { result } = await perform({ ...deps, upstream }, job);

    expect(result.costNanoUsd).toBe(nanoUsd);
    expect(await readResult(deps.store, job.id)).toEqual(result);
    expect(await countersOf(deps, owner)).toMatchObject({
      unpriced_requests: nanoUsd === null ? 1 : 0,
      cost_usd: ((nanoUsd ?? 0) / 1e9).toFixed(9),
    });
    expect(await problemsOf(deps)).toEqual([]);
  },
);
