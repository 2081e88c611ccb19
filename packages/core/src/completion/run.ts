import { withOutputLimit } from "../budget/output-tokens.ts";
import { enforceKeyLimits } from "../key/enforce-limits.ts";
import { budgetOf } from "../key/limits.ts";
import { claim, leaseMs } from "../result/claim.ts";
import type { StoredItem } from "../result/item.ts";
import { reserve } from "../result/reserve.ts";
import { discard, renew } from "../result/settle.ts";
import { readResult, toResult } from "../result/store.ts";
import { fail } from "./failure.ts";
import {
  type Answered,
  type Attempt,
  type Job,
  newResult,
  type PerformDeps,
  type Performed,
  type Prepared,
} from "./job.ts";
import { settlementOf } from "./outcome.ts";
import { answerFromClaim, answerFromStored } from "./replay.ts";
import { settleOrEnqueue } from "./settlement.ts";

/** Kept back from the function's time for settling, and for handing over what cannot be settled. */
export const settleReserveMs = 15_000;
/** Three renewals fit into a lease, so that one may be lost. Most calls end before the first. */
const renewEveryMs = leaseMs / 3;

/**
 * Claim, call, judge, settle. Returns the result in its final state, fresh or replayed, whatever OpenAI answered; throws an
 * `AppError` naming the result when it failed, `in_progress` when another attempt holds it.
 */
export async function perform(deps: PerformDeps, job: Job): Promise<Performed> {
  const attempt = await begin(deps, job);
  if ("replayed" in attempt) return attempt;
  const completion = await deps.upstream
    .complete(attempt.params, attempt.upstreamDeadlineMs, attempt.verbatim)
    .catch(async (error: unknown) => {
      throw await fail(deps, job, attempt, error);
    });
  return finish(deps, attempt, completion);
}

/**
 * Claims the job's result, prepares its request and reserves what it may cost. Returns what there is already when the work
 * is done.
 */
export async function begin(deps: PerformDeps, job: Job): Promise<Attempt | Performed> {
  if (job.key) await enforceKeyLimits(deps.store, job.key, job.model, deps.now().getTime());
  // While the table is asked: two round trips less between the claim and the answer, unless the last event was just before.
  deps.upstream.connect();
  const claimed = await claim(deps.store, {
    result: newResult(job, deps.now()),
    requestHash: job.requestHash,
    nowMs: deps.now().getTime(),
  });
  if (claimed.outcome !== "claimed") return answerFromClaim(claimed, job.id);
  const { lease } = claimed;
  // A renewal that fails needs no answer: without it the lease runs out, which is safe.
  const renewal = setInterval(() => renew(deps.store, lease, deps.now().getTime()).catch(() => {}), renewEveryMs);
  const held = {
    lease,
    startedMs: deps.now().getTime(),
    result: { ...lease.result, answer: null },
    onFailure: job.onFailure,
    stopRenewing: () => clearInterval(renewal),
  };
  let replayed: StoredItem;
  try {
    const prepared = await job.prepare(lease);
    if (!("replayed" in prepared)) return await attemptOf(deps, job, held, prepared);
    replayed = prepared.replayed;
    held.stopRenewing();
    await discard(deps.store, lease);
  } catch (error) {
    throw await fail(deps, job, held, error);
  }
  return answerFromStored(await toResult(deps.store, replayed), replayed.result.id);
}

/** An attempt that knows what to ask, and has reserved what that may cost. */
async function attemptOf(
  deps: PerformDeps,
  job: Job,
  held: Pick<Attempt, "lease" | "result" | "startedMs" | "onFailure" | "stopRenewing">,
  prepared: Prepared,
): Promise<Attempt> {
  const { lease } = held;
  const { params: asked, verbatim: written, format, streamOptions, budget = budgetOf(job.key), ...found } = prepared;
  const request = { params: asked, verbatim: written };
  const { params, verbatim, ...limited } = budget ? withOutputLimit(request, budget) : request;
  const result = { ...held.result, ...found, ...limited };
  const reserved = budget ? await reserve(deps, lease, budget, params) : lease;
  const upstreamDeadlineMs = job.deadlineMs - settleReserveMs;
  return { ...held, lease: reserved, result, params, verbatim, format, streamOptions, upstreamDeadlineMs };
}

/**
 * Settles an attempt that OpenAI has answered, now or, when the table does not take it, later. Over HTTP the caller gets the
 * answer whatever becomes of its settlement: it is paid for.
 */
export async function finish(deps: PerformDeps, attempt: Attempt, completion: Answered): Promise<Performed> {
  attempt.stopRenewing();
  const { lease, result, onFailure } = attempt;
  const settlement = settlementOf(deps, attempt, completion);
  const settled = await settleOrEnqueue(deps, lease, settlement).catch((error: unknown) => {
    // A queue brings the work back. Over HTTP the lease runs out, and the sweep counts the attempt as unaccounted.
    if (onFailure === "give_back") throw error;
    return true;
  });
  if (!settled) return answerFromStored(await readResult(deps.store, result.id), result.id);
  return answerFromStored(settlement.result, result.id, false);
}
