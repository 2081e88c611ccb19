import { AppError, toAppError } from "../error.ts";
import { isJsonObject } from "../json/object.ts";
import { createAccumulator } from "../openai/accumulate.ts";
import { chunksOf } from "../openai/chunks.ts";
import type { CompletionStream } from "../openai/client.ts";
import { AnswerError, failureOf } from "../openai/error.ts";
import { estimateUsage } from "../openai/estimate.ts";
import { UpstreamFailure } from "../openai/retry.ts";
import { fail } from "./failure.ts";
import type { Answered, Attempt, Job, PerformDeps, Performed } from "./job.ts";
import { begin, finish } from "./run.ts";

/** What a stream tells, in this order: chunks, then the result or an error. */
export type StreamEvent =
  /** OpenAI's chunk as JSON text. `extra`: the usage, which comes last and is kept from those who did not ask for it. */
  | { type: "chunk"; data: string; extra: boolean }
  | { type: "result"; performed: Performed }
  | { type: "error"; error: AppError };

export interface PerformedStream {
  resultId: string;
  /** The result was there already: nothing was asked of OpenAI. */
  replayed: boolean;
  /** Has to be read to its end, even when nobody listens any more: only then is the usage known, and the result settled. */
  events: AsyncIterable<StreamEvent>;
}

/**
 * As `perform`, in pieces. Rejects when no answer has begun. From then on everything comes as events, and what was billed
 * is recorded: exactly when the stream ends as it should, and as an estimate when it breaks off.
 */
export async function performStream(deps: PerformDeps, job: Job): Promise<PerformedStream> {
  const attempt = await begin(deps, job);
  if ("replayed" in attempt) return { resultId: job.id, replayed: true, events: replay(attempt) };
  const stream = await deps.upstream
    .stream(withStreamOptions(attempt), attempt.upstreamDeadlineMs, attempt.verbatim)
    .catch(async (error: unknown) => {
      throw await fail(deps, job, attempt, error);
    });
  return { resultId: job.id, replayed: false, events: forward(deps, job, attempt, stream) };
}

const withStreamOptions = ({ params, streamOptions }: Attempt): Attempt["params"] =>
  streamOptions ? { ...params, stream_options: streamOptions } : params;

async function* forward(
  deps: PerformDeps,
  job: Job,
  attempt: Attempt,
  stream: CompletionStream,
): AsyncGenerator<StreamEvent> {
  const accumulator = createAccumulator();
  let broken: AppError | null = null;
  try {
    for await (const data of stream.events) {
      const chunk: unknown = JSON.parse(data);
      if (!isJsonObject(chunk)) continue;
      accumulator.add(chunk);
      const hasChoices = Array.isArray(chunk.choices) && chunk.choices.length > 0;
      yield { type: "chunk", data, extra: !hasChoices };
    }
  } catch (cause) {
    const told = cause instanceof AnswerError ? failureOf(cause, false).error : null;
    if (told && accumulator.deltas() === 0 && !accumulator.hasUsage()) {
      const { attempts, possiblyBilledAttempts } = stream;
      const error = await fail(deps, job, attempt, new UpstreamFailure(told, { attempts, possiblyBilledAttempts }));
      return yield { type: "error", error };
    }
    const resultId = attempt.result.id;
    broken = told
      ? told.with({ message: `OpenAI's answer broke off. ${told.message}`, resultId })
      : new AppError("upstream_error", "OpenAI's answer broke off.", { cause, resultId });
  }
  const body = accumulator.body();
  const answered: Answered = {
    text: JSON.stringify(body),
    body,
    requestId: stream.requestId,
    attempts: stream.attempts,
    possiblyBilledAttempts: stream.possiblyBilledAttempts,
    estimate: estimateUsage(attempt.params, accumulator.deltas()),
    // What is whole but for its last line is an answer.
    broken: accumulator.isWhole(attempt.params.n ?? 1) ? null : broken,
  };
  try {
    const performed = await finish(deps, attempt, answered);
    yield { type: "result", performed };
  } catch (error) {
    yield { type: "error", error: answered.broken ?? toAppError(error) };
  }
}

/** A stored answer, as a stream of one chunk for each choice. */
async function* replay(performed: Performed): AsyncGenerator<StreamEvent> {
  const body: unknown = JSON.parse(performed.result.answer ?? "{}");
  for (const chunk of chunksOf(isJsonObject(body) ? body : {})) {
    yield { type: "chunk", data: JSON.stringify(chunk), extra: chunk.choices.length === 0 };
  }
  yield { type: "result", performed };
}
