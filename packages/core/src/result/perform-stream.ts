import { AppError, toAppError } from "../error.ts";
import { createAccumulator } from "../openai/accumulate.ts";
import type { CompletionStream } from "../openai/client.ts";
import { estimateUsage } from "../openai/estimate.ts";
import {
  type Answered,
  type Attempt,
  begin,
  fail,
  finish,
  type Job,
  type PerformDeps,
  type Performed,
} from "./perform.ts";

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
    .stream(attempt.params, attempt.upstreamDeadlineMs, attempt.verbatim)
    .catch(async (error: unknown) => {
      throw await fail(deps, job, attempt, error);
    });
  return { resultId: job.id, replayed: false, events: forward(deps, attempt, stream) };
}

async function* forward(deps: PerformDeps, attempt: Attempt, stream: CompletionStream): AsyncGenerator<StreamEvent> {
  const accumulator = createAccumulator();
  let broken: AppError | null = null;
  try {
    for await (const data of stream.events) {
      const chunk = JSON.parse(data);
      if (chunk.error) throw new AppError("upstream_error", "OpenAI broke off its answer.");
      accumulator.add(chunk);
      yield { type: "chunk", data, extra: chunk.choices?.length === 0 };
    }
  } catch (cause) {
    broken = new AppError("upstream_error", "OpenAI's answer broke off.", { cause, resultId: attempt.result.id });
  }
  const body = accumulator.body();
  const answered: Answered = {
    text: JSON.stringify(body),
    body,
    requestId: stream.requestId,
    attempts: stream.attempts,
    maybeBilled: stream.maybeBilled,
    estimate: estimateUsage(attempt.params, accumulator.deltas()),
    // What is whole but for its last line is an answer.
    broken: accumulator.isWhole() ? null : broken,
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
  const body = JSON.parse(performed.result.answer ?? "{}");
  const head = { ...body, object: "chat.completion.chunk" };
  for (const { message, ...choice } of body.choices ?? []) {
    const tool_calls = message.tool_calls?.map((call: object, index: number) => ({ index, ...call }));
    const delta = { ...message, ...(tool_calls && { tool_calls }) };
    const data = JSON.stringify({ ...head, choices: [{ ...choice, delta }], usage: null });
    yield { type: "chunk", data, extra: false };
  }
  yield { type: "chunk", data: JSON.stringify({ ...head, choices: [] }), extra: true };
  yield { type: "result", performed };
}
