import { begin, perform } from "@tollgate/core/completion/run";
import { leaseMs } from "@tollgate/core/result/claim";
import { readResult } from "@tollgate/core/result/store";
import { sweep } from "@tollgate/core/result/sweep";
import { expect, it } from "vitest";
import { jobOf, startAccount } from "../budget/account.ts";
import { countersOf, problemsOf } from "./ledger.ts";

const { deps, budget } = await startAccount();
// 1,024 bytes, which is all that DynamoDB takes of a sort key.
const model = "😀".repeat(256);

it("an answer is settled whatever its server calls the model", async () => {
  const upstream: typeof deps.upstream = {
    ...deps.upstream,
    complete: async (...asked) => {
      const completion = await deps.upstream.complete(...asked);
      return { ...completion, body: { ...(completion.body as object), model } };
    },
  };
  const { result } = await perform({ ...deps, upstream }, jobOf("key_named", 1_000_000_000, { owner: "named" }));
  expect(await readResult(deps.store, result.id)).toMatchObject({ status: "succeeded", model });
  expect(await countersOf(deps, "named")).toMatchObject({ requests: 1, total_tokens: result.usage?.totalTokens });
  expect(await problemsOf(deps)).toEqual([]);
});

it("an attempt that died is swept whatever its model is called", async () => {
  const job = jobOf("key_dead", 1_000_000_000, { owner: "dead", model });
  const attempt = await begin(deps, job);
  if ("replayed" in attempt) throw new Error("The result was there already.");
  attempt.stopRenewing();
  const now = () => new Date(Date.now() + 2 * leaseMs);
  expect(await sweep({ store: deps.store, now, graceMs: { http: 0, queue: 0 } })).toEqual([job.id]);
  expect(await countersOf(deps, "dead")).toMatchObject({ requests: 1, failed: 1, unaccounted_attempts: 1 });
  const reserved = attempt.lease.reservation?.nano_usd;
  expect(await budget("key_dead")).toEqual({ committed_nano_usd: reserved, spent_nano_usd: reserved });
  expect(await problemsOf(deps)).toEqual([]);
});
