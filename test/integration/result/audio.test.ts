import { perform } from "@tollgate/core/completion/run";
import { presentResult } from "@tollgate/core/result/result";
import { expect, it } from "vitest";
import { readResult } from "../../../packages/core/src/result/store.ts";
import { jobOf, startAccount } from "../budget/account.ts";
import { countersOf, problemsOf } from "./ledger.ts";

const { deps } = await startAccount();

it("is counted as unpriced, of a model too whose text has a price", async () => {
  const usage = { prompt_tokens: 20, completion_tokens: 10, completion_tokens_details: { audio_tokens: 8 } };
  const audio = { id: "audio_1", data: "AAAA", transcript: "Hello", expires_at: 9 };
  const message = { role: "assistant", content: null, refusal: null, audio };
  const body = { id: "chatcmpl-1", model: "gpt-4o", choices: [{ index: 0, message, finish_reason: "stop" }], usage };
  const completion = { text: JSON.stringify(body), body, requestId: null, attempts: 1, possiblyBilledAttempts: 0 };
  const upstream = { ...deps.upstream, complete: async () => completion };
  const job = { ...jobOf("key", 0), key: null, owner: "speaker" };

  const { result } = await perform({ ...deps, upstream }, job);

  expect(presentResult(result)).toMatchObject({
    audio,
    usage: { total_tokens: 30 },
    cost: { usd: null, priced: false },
  });
  expect(await readResult(deps.store, job.id)).toEqual(result);
  expect(await countersOf(deps, "speaker")).toMatchObject({
    ...{ requests: 1, total_tokens: 30, unpriced_requests: 1, unaccounted_attempts: 0, cost_usd: "0.000000000" },
  });
  expect(await problemsOf(deps)).toEqual([]);
});
