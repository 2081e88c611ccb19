import { enforceKeyLimits } from "../key/enforce-limits.ts";
import { budgetOf } from "../key/limits.ts";
import { type Claim, claim } from "../result/claim.ts";
import { newUlid } from "../result/id.ts";
import { isHeld, waitingTtlMs } from "../result/item.ts";
import { discard } from "../result/settle.ts";
import type { ResultStore } from "../result/store.ts";
import type { TextStore } from "../s3/text-store.ts";
import { type Job, newResult, type Performed } from "./job.ts";
import { answerFromClaim } from "./replay.ts";

export interface EnqueueDeps {
  store: ResultStore;
  /** Where requests wait. */
  requests: Pick<TextStore, "put" | "remove">;
  /** Takes a message that `deferredMessage` wrote. */
  queue: { send(message: string): Promise<void> };
  now: () => Date;
}

/** What a message in the queue says: which result to work on, and nothing of the request. */
export const deferredMessage = (resultId: string): string => JSON.stringify({ result_id: resultId });

/** Each time that a request is accepted has a key of its own, so that clearing up after one never takes another's. */
const newRequestKey = ({ owner, id }: Job): string => `requests/${owner}/${id}/${newUlid()}.json`;

/**
 * Accepts work to be done later; `request` is its caller's own text. Returns its result, `running`, once nothing can lose it; or
 * the final one, when the same request was made before. Three writes, in an order in which the one before means nothing without the one after:
 *
 *   put request ─── claim, without a lease ─── send message ─── 202
 *              │                          │               │
 *              │                          │               └ the answer was lost: asking again replays
 *              │                          └ running, and nobody comes: asking again sends the message; without an
 *              │                            Idempotency-Key the result expires, as nobody knows its id
 *              └ an object that no result names: its lifecycle removes it
 */
export async function enqueue(deps: EnqueueDeps, job: Job, request: string): Promise<Performed> {
  const now = deps.now();
  if (job.key) await enforceKeyLimits(deps.store, job.key, job.model, now.getTime());
  const requestKey = newRequestKey(job);
  await deps.requests.put(requestKey, request);
  const budget = budgetOf(job.key);
  const result = {
    ...newResult(job, now),
    deferred: { requestKey, ...(job.key && { keyId: job.key.keyId }), ...(budget && { budget }) },
  };
  const claimed = await claim(deps.store, { result, requestHash: job.requestHash, nowMs: now.getTime() });
  if (claimed.outcome !== "claimed") {
    if (requestKeyOf(claimed) !== requestKey) await deps.requests.remove(requestKey);
    return answerAgain(deps, claimed, job.id, now);
  }
  try {
    await deps.queue.send(deferredMessage(job.id));
  } catch (error) {
    // Under an Idempotency-Key another may have sent the message meanwhile, and been told 202: asking again sends it. Otherwise
    // nobody knows the id, unless the message arrived after all and is being worked on.
    if (job.requestHash === null && (await discard(deps.store, claimed.lease))) await deps.requests.remove(requestKey);
    throw error;
  }
  return { result: { ...claimed.lease.result, answer: null }, replayed: false };
}

type Unclaimed = Exclude<Claim, { outcome: "claimed" }>;

/** Where the request of the result that is there waits. Our own, when the claim succeeded but its answer was lost. */
function requestKeyOf(claimed: Unclaimed): string | undefined {
  if (claimed.outcome === "replay") return claimed.result.deferred?.requestKey;
  return claimed.outcome === "in_progress" ? claimed.existing.result.deferred?.requestKey : undefined;
}

/** SQS's longest visibility timeout (its quotas, November 2026): a message that has not come by then is dead, or was lost. */
const longestHiddenMs = 12 * 3600 * 1000;

/** What the same request gets that was accepted before. Its message is sent again when the first may not have been. */
async function answerAgain(deps: EnqueueDeps, claimed: Unclaimed, id: string, now: Date): Promise<Performed> {
  if (claimed.outcome !== "in_progress" || !claimed.existing.result.deferred) return answerFromClaim(claimed, id);
  const { existing } = claimed;
  const { result } = existing;
  // An attempt that gave up left its error, and its message waits out the time until the next one.
  const waitedMs = now.getTime() + waitingTtlMs - existing.lease_expires_at;
  const isHidden = result.error !== null && waitedMs < longestHiddenMs;
  if (!isHeld(existing, now.getTime()) && !isHidden) await deps.queue.send(deferredMessage(id));
  return { result: { ...result, answer: null }, replayed: true };
}
