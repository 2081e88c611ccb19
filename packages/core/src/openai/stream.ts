import type { ErrorCode, OpenAIAnswer } from "../error.ts";
import { tryJson } from "../json/try.ts";
import { saysSomething } from "./accumulate.ts";
import { chunksOf } from "./chunks.ts";
import { AnswerError, failureOf } from "./error.ts";
import { describeError, errorIn } from "./error-body.ts";
import { StreamCutOff, type StreamedData } from "./sse.ts";

/**
 * The chunks of a stream as JSON text. Throws `AnswerError` for an error that the server sends in place of one, and for what is not
 * JSON. Other servers' heartbeats are left out.
 */
async function* chunkTexts(events: AsyncIterable<StreamedData>, headers: Pick<Headers, "get">): AsyncGenerator<string> {
  for await (const { name, data } of events) {
    const error = errorOf(name, data);
    if (error) throw new AnswerError(error, headers);
    if (name === "whole") for (const chunk of chunksOf(JSON.parse(data))) yield JSON.stringify(chunk);
    else if (isChunk(name, data)) yield data;
  }
}

/** Looks closely only at what has no choices or speaks of an error: most chunks do neither. */
function errorOf(name: string | undefined, data: string): OpenAIAnswer | null {
  if (name === "error") return describeError(tryJson(data) ?? data);
  const isSuspect = data.includes('"error"') || !data.includes('"choices"');
  return isSuspect ? errorIn(tryJson(data)) : null;
}

/** A named event that is no JSON object is a heartbeat. Without a name it is a chunk that was damaged, and not left out. */
const isChunk = (name: string | undefined, data: string): boolean =>
  name === undefined || name === "message" || data.trimStart().startsWith("{");

/** A choice that says why it ended. */
const finish = /"finish_reason"\s*:\s*"/;

/** A stream's chunks as JSON text, from where its answer begins. Throws `AnswerError` for an error that comes before. */
export async function readChunks(events: AsyncIterable<StreamedData>, headers: Pick<Headers, "get">) {
  let isFinished = false;
  async function* watched() {
    for await (const text of chunkTexts(events, headers)) {
      isFinished ||= finish.test(text);
      yield text;
    }
  }
  return {
    texts: await begun(watched()),
    /** What an error means that ends them; null when only `[DONE]` is missing. */
    codeOf: (error: unknown): ErrorCode | null =>
      error instanceof StreamCutOff && isFinished ? null : failureOf(error, false).error.code,
  };
}

/** The longest that a stream's beginning is held back. */
const maxHeldMs = 5_000;

/**
 * Waits until some of the answer is there, so that an error that comes before it can still be retried, or have its own status.
 * Not for long: a model may think for minutes. Throws such an error; any other way to break off is for the reader of the chunks.
 */
async function begun(texts: AsyncGenerator<string>): Promise<AsyncGenerator<string>> {
  const held: string[] = [];
  let next = texts.next();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patienceEnds = new Promise<null>((end) => {
    timer = setTimeout(() => end(null), maxHeldMs);
  });
  try {
    for (;;) {
      const read = await Promise.race([next, patienceEnds]);
      if (read === null || read.done) break;
      held.push(read.value);
      next = texts.next();
      if (isSomething(read.value)) break;
    }
  } catch (error) {
    if (error instanceof AnswerError) throw error;
  } finally {
    clearTimeout(timer);
  }
  // The reader hears of its failure. Node must not take it for unhandled before.
  next.catch(() => {});
  return continued(held, next, texts);
}

async function* continued(held: string[], next: Promise<IteratorResult<string>>, texts: AsyncGenerator<string>) {
  yield* held;
  const read = await next;
  if (read.done) return;
  yield read.value;
  yield* texts;
}

/** What cannot be read is not held back either. */
function isSomething(text: string): boolean {
  const chunk = tryJson(text);
  return chunk === null || saysSomething(Object(chunk));
}
