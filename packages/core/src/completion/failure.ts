import { type AppError, toAppError } from "../error.ts";
import { UpstreamFailure } from "../openai/retry.ts";
import { storedErrorOf } from "../result/result.ts";
import { discard, release } from "../result/settle.ts";
import type { Attempt, Job, PerformDeps } from "./job.ts";
import { settleOrHandOver } from "./settlement.ts";

/** Ends an attempt that has no answer, and returns the error to throw. */
export async function fail(
  deps: PerformDeps,
  job: Job,
  { lease, result, startedMs, stopRenewing }: Pick<Attempt, "lease" | "result" | "startedMs" | "stopRenewing">,
  thrown: unknown,
): Promise<AppError> {
  stopRenewing();
  const failure = thrown instanceof UpstreamFailure ? thrown : null;
  const error = toAppError(failure ? failure.error : thrown);
  const maybeBilled = failure?.maybeBilled ?? 0;
  if (error.retryable && job.onFailure === "give_back") {
    await release(deps.store, lease, error, maybeBilled);
    return error.with({ resultId: job.id });
  }
  // A request that has to wait for others' reservations was not asked of OpenAI either.
  const isCallers = error.status < 500 && (!error.retryable || failure === null);
  const idWasHandedOut = job.source === "s3" || result.deferred !== undefined;
  const isUncounted = lease.pendingUnaccounted + maybeBilled === 0 && lease.ledger.length === 0;
  if (isCallers && !idWasHandedOut && isUncounted) {
    const forgotten = await discard(deps.store, lease).catch(() => false);
    if (forgotten) return error;
  }
  const completedAt = deps.now();
  const settling = settleOrHandOver(deps, lease, {
    result: {
      ...result,
      status: "failed",
      error: storedErrorOf(error),
      openai: failure && { id: null, requestId: null, attempts: failure.attempts, serviceTier: null },
      completedAt: completedAt.toISOString(),
      latencyMs: completedAt.getTime() - startedMs,
    },
    maybeBilled,
    completedAt,
  });
  await settling.catch((unsettled: unknown) => {
    if (job.onFailure === "give_back") throw unsettled;
  });
  return error.with({ resultId: job.id });
}
