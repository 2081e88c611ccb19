import type { ChatCompletionStreamOptions } from "openai/resources/chat/completions";
import { withOutputLimit } from "../budget/output-tokens.ts";
import type { KeyBudget } from "../budget/schema.ts";
import { AppError, toAppError } from "../error.ts";
import { admit } from "../key/admit.ts";
import { budgetOf, type CallerKey } from "../key/limits.ts";
import type { Completion, Upstream } from "../openai/client.ts";
import { UpstreamFailure } from "../openai/retry.ts";
import { type Usage, usageFrom } from "../openai/usage.ts";
import type { OpenAIRequest, Verbatim } from "../openai/verbatim.ts";
import { type Claim, claim, type Lease, leaseMs } from "../result/claim.ts";
import type { StoredItem } from "../result/item.ts";
import { reserve } from "../result/reserve.ts";
import type { ChoiceVerdict, Result, ResultImage } from "../result/result.ts";
import { discard, release, renew, type Settlement } from "../result/settle.ts";
import { type SettleLaterQueue, settleOrHandOver } from "../result/settle-later.ts";
import { type ResultStore, readResult, toResult } from "../result/store.ts";
import { judge, type OutputFormat, type Verdict, worstOf } from "../structured/parse.ts";
import type { Problem } from "../structured/problem.ts";
import { billingOf } from "../usage/billing.ts";
import { costOf } from "../usage/cost.ts";
import { type PriceOverrides, priceOf } from "../usage/price.ts";

export interface PerformDeps {
  store: ResultStore;
  upstream: Upstream;
  prices: PriceOverrides;
  /** Where settlements wait that the table did not take. */
  later: SettleLaterQueue;
  now: () => Date;
}

/** One piece of work that may be asked for many times and is paid for once. */
export interface Job {
  id: string;
  kind: Result["kind"];
  source: Result["source"];
  owner: string;
  /** Whose limits hold; null for an object that came from S3, where an owner needs no key. */
  key: CallerKey | null;
  model: string;
  schema: string | null;
  metadata: Record<string, string>;
  /** What was asked for when the upload of `image` was announced. */
  upload?: Result["upload"];
  image: ResultImage | null;
  requestHash: string | null;
  /** Makes OpenAI's request. Runs after the claim; an `AppError` that it throws ends the result. */
  prepare(lease: Lease): Promise<Prepared | Replayed> | Prepared;
  /** Epoch milliseconds at which the function is stopped. */
  deadlineMs: number;
  /** How a failure ends: over HTTP the caller hears of it; the queue brings the work back. */
  onFailure: "fail" | "give_back";
}

export interface Prepared extends OpenAIRequest {
  format: OutputFormat;
  /** Sent only where the answer is streamed: OpenAI refuses them otherwise. */
  streamOptions?: ChatCompletionStreamOptions | undefined;
  /** What preparing found out. */
  model?: string;
  schema?: string | null;
  metadata?: Record<string, string>;
  image?: ResultImage | null;
  /** What the call is charged against, where that is not the budget of the job's key. */
  budget?: KeyBudget | undefined;
}

/** Preparing found that the work was done before: that result stands in for this one, which is forgotten. */
export interface Replayed {
  replayed: StoredItem;
}

export interface Performed {
  result: Result;
  /** The result was there already: nothing was asked of OpenAI. */
  replayed: boolean;
}

/** Kept back from the function's time for settling, and for handing over what cannot be settled. */
export const settleReserveMs = 15_000;
/** Three renewals fit into a lease, so that one may be lost. Most calls end before the first. */
const renewEveryMs = leaseMs / 3;

/** An attempt that holds its result. Whoever has one either finishes or fails it. */
export interface Attempt {
  lease: Lease;
  startedMs: number;
  result: Result;
  params: Prepared["params"];
  verbatim?: Verbatim | undefined;
  format: OutputFormat;
  streamOptions?: ChatCompletionStreamOptions | undefined;
  /** Epoch milliseconds by which OpenAI has to have answered, so that there is time to settle. */
  upstreamDeadlineMs: number;
  onFailure: Job["onFailure"];
  stopRenewing(): void;
}

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
  if (job.key) await admit(deps.store, job.key, job.model, deps.now().getTime());
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

/** An answer, which may be all that came of it. */
export interface Answered extends Completion {
  /** Stands in for the usage when none came. */
  estimate?: Usage;
}

/**
 * Settles an attempt that OpenAI has answered, now or, when the table does not take it, later. Over HTTP the caller gets the
 * answer whatever becomes of its settlement: it is paid for.
 */
export async function finish(deps: PerformDeps, attempt: Attempt, completion: Answered): Promise<Performed> {
  attempt.stopRenewing();
  const { lease, result, onFailure } = attempt;
  const settlement = settlementOf(deps, attempt, completion);
  const settled = await settleOrHandOver(deps, lease, settlement).catch((error: unknown) => {
    // A queue brings the work back. Over HTTP the lease runs out, and the sweep counts the attempt as unaccounted.
    if (onFailure === "give_back") throw error;
    return true;
  });
  if (!settled) return answerFromStored(await readResult(deps.store, result.id), result.id);
  return answerFromStored(settlement.result, result.id, false);
}

export function newResult(job: Job, now: Date): Omit<Result, "answer"> {
  return {
    id: job.id,
    kind: job.kind,
    source: job.source,
    status: "running",
    owner: job.owner,
    model: job.model,
    schema: job.schema,
    structured: false,
    usage: null,
    costNanoUsd: null,
    openai: null,
    image: job.image,
    error: null,
    metadata: job.metadata,
    createdAt: now.toISOString(),
    completedAt: null,
    latencyMs: null,
    upload: job.upload,
  };
}

/** What a claim that won nothing answers. Throws when that is an error. */
export function answerFromClaim(claimed: Exclude<Claim, { outcome: "claimed" }>, id: string): Performed {
  if (claimed.outcome === "mismatch") {
    throw new AppError(
      "idempotency_mismatch",
      "This Idempotency-Key was used for another request. Use a new key, or repeat the request unchanged.",
      { param: "Idempotency-Key" },
    );
  }
  if (claimed.outcome === "in_progress") {
    throw new AppError("in_progress", "This request is still being worked on. Ask again later, or read its result.", {
      retryAfterSeconds: claimed.retryAfterSeconds,
      resultId: id,
    });
  }
  return answerFromStored(claimed.result, id);
}

/** A result in its final state: the answer, or the error that it ended with. */
function answerFromStored(result: Result | null, id: string, replayed = true): Performed {
  if (!result) throw new AppError("not_found", "The result was deleted while it was being made.");
  if (result.status === "running") {
    throw new AppError("in_progress", "Another attempt has taken over this request.", {
      retryAfterSeconds: 5,
      resultId: id,
    });
  }
  if (result.error) {
    const { code, message, param } = result.error;
    throw new AppError(code, message, { param: param ?? undefined, resultId: id });
  }
  return { result, replayed };
}

/** What is read of OpenAI's body here: any of it may be missing, or of another type. */
interface Body {
  id?: unknown;
  model?: unknown;
  service_tier?: unknown;
  usage?: unknown;
  choices?: unknown;
}

function settlementOf(deps: PerformDeps, attempt: Attempt, completion: Answered): Settlement {
  const { result, params, format, startedMs } = attempt;
  const completedAt = deps.now();
  const body = completion.body as Body | null;
  const model = textOr(body?.model, result.model);
  const serviceTier = textOr(body?.service_tier, null);
  const exact = usageFrom(body?.usage);
  const usage = exact ?? completion.estimate ?? null;
  // A server may name what it loaded, or a deployment: the caller asked for a model that has a price.
  const rates = priceOf(model, completedAt, deps.prices) ?? priceOf(result.model, completedAt, deps.prices);
  const choices = Array.isArray(body?.choices) && body.choices.length > 0 ? body.choices : [undefined];
  const verdicts = choices.map((choice) =>
    judge({ message: choice?.message, finishReason: choice?.finish_reason, format }),
  );
  const verdict = worstOf(verdicts);
  const error = completion.broken ?? (verdict.status === "failed" ? invalidOutput(verdicts) : null);
  return {
    result: {
      ...result,
      status: error ? "failed" : verdict.status,
      model,
      structured: format.type !== "text",
      ...(verdicts.length > 1 && !completion.broken && { choices: verdicts.map(toldOfChoice) }),
      usage,
      ...(usage && !exact && { usageEstimated: true }),
      costNanoUsd: usage && rates ? costOf(usage, rates, serviceTier, billingOf(params)) : null,
      openai: {
        id: textOr(body?.id, null),
        requestId: completion.requestId,
        attempts: completion.attempts,
        serviceTier,
      },
      error: error && { code: error.code, message: error.message, param: error.param },
      completedAt: completedAt.toISOString(),
      latencyMs: completedAt.getTime() - startedMs,
      answer: completion.text,
    },
    // An answer without usage was billed all the same.
    maybeBilled: completion.maybeBilled + (usage ? 0 : 1),
    completedAt,
  };
}

/** Tells where an answer does not fit, and in which choice. Never what it says: that is the caller's, in the result. */
function invalidOutput(verdicts: Verdict[]): AppError {
  const told = verdicts.flatMap((verdict, index) =>
    (verdict.status === "failed" ? verdict.problems : []).map((problem) =>
      verdicts.length > 1 ? `choices[${index}]: ${sentenceOf(problem)}` : sentenceOf(problem),
    ),
  );
  return new AppError("invalid_output", `OpenAI's answer is not what was asked for. ${told.slice(0, 3).join(" ")}`);
}

/** With 128 choices it still fits beside everything else of a result. */
const maxProblemLength = 300;

const toldOfChoice = (verdict: Verdict): ChoiceVerdict => ({
  status: verdict.status,
  ...(verdict.status === "failed" && {
    problems: verdict.problems.slice(0, 3).map((problem) => sentenceOf(problem).slice(0, maxProblemLength)),
  }),
});

const sentenceOf = ({ path, message }: Problem): string => (path ? `${path}: ${message}` : message);

/** An empty text says nothing. */
const textOr = <T>(value: unknown, otherwise: T) => (typeof value === "string" && value !== "" ? value : otherwise);

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
      error: { code: error.code, message: error.message, param: error.param },
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
