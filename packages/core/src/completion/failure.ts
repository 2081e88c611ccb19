import { type AppError, toAppError } from "../error.ts";
import { UpstreamFailure } from "../openai/retry.ts";
import { storedErrorOf } from "../result/result.ts";
import { discard, release } from "../result/settle.ts";
import type { Attempt, Job, PerformDeps } from "./job.ts";
import { settleOrEnqueue } from "./settlement.ts";

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
  const possiblyBilledAttempts = failure?.possiblyBilledAttempts ?? 0;
  if (error.retryable && job.onFailure === "give_back") {
    await release(deps.store, lease, error, possiblyBilledAttempts);
    return error.with({ resultId: job.id });
  }
  // A request that has to wait for others' reservations was not asked of OpenAI either.
  const isCallers = error.status < 500 && (!error.retryable || failure === null);
  const idWasHandedOut = job.source === "s3" || result.deferred !== undefined;
  const isUncounted = lease.pendingUnaccounted + possiblyBilledAttempts === 0 && lease.ledger.length === 0;
  if (isCallers && !idWasHandedOut && isUncounted) {
    const forgotten = await discard(deps.store, lease).catch(() => false);
    if (forgotten) return error;
  }
  const completedAt = deps.now();
  const settling = settleOrEnqueue(deps, lease, {
    result: {
      ...result,
      status: "failed",
      error: storedErrorOf(error),
      openai: failure && { id: null, requestId: null, attempts: failure.attempts, serviceTier: null },
      completedAt: completedAt.toISOString(),
      latencyMs: completedAt.getTime() - startedMs,
    },
    possiblyBilledAttempts,
    completedAt,
  });
  await settling.catch((unsettled: unknown) => {
    if (job.onFailure === "give_back") throw unsettled;
  });
  return error.with({ resultId: job.id });
}
