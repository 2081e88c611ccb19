import type { PerformedStream, StreamEvent } from "@tollgate/core/completion/stream";
import { type AppError, errorBody } from "@tollgate/core/error";
import { doneEvent, event } from "@tollgate/core/openai/sse";
import { presentResult } from "@tollgate/core/result/result";
import type { HttpResponse } from "./http.ts";
import { replayedHeader } from "./result-response.ts";

/** How the events of a stream are written; null for one that is kept back. */
type Encode = (event: StreamEvent) => string | null;

/** Server-sent events, each sent as soon as it is there. */
export const streamResponse = ({ resultId, replayed, events }: PerformedStream, encode: Encode): HttpResponse => ({
  status: 200,
  headers: {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    ...replayedHeader(replayed),
  },
  body: pieces(events, encode),
  resultId,
});

async function* pieces(events: AsyncIterable<StreamEvent>, encode: Encode): AsyncGenerator<string> {
  for await (const event of events) {
    const piece = encode(event);
    if (piece !== null) yield piece;
  }
}

/** OpenAI's chunks as they are, then `event: result` with the stored result, or `event: error`. */
export const resultEvents: Encode = (it) => {
  if (it.type === "chunk") return it.extra ? null : event(it.data);
  if (it.type === "error") return event(JSON.stringify(errorBody(it.error)), "error");
  return event(JSON.stringify(presentResult(it.performed.result)), "result") + doneEvent;
};

/** What OpenAI said itself; null where it is not for the caller. A model that the project may not use is one that is not there. */
export function openaiAnswerOf({ code, openai, status }: AppError): AppError["openai"] {
  if (!openai || code === "upstream_auth") return null;
  if (code === "model_not_found") return { ...openai, status };
  const isTheCallers = status < 500 || code === "upstream_quota";
  const passes = openai.status === 408 || openai.status === 409 || openai.status >= 500;
  return isTheCallers || passes ? openai : null;
}

/** Just what OpenAI itself would send. It adds the usage to every stream that we ask for: those who did not, do not see it. */
export const openaiEvents =
  (includeUsage: boolean): Encode =>
  (it) => {
    if (it.type === "error") {
      const said = openaiAnswerOf(it.error);
      return event(JSON.stringify(said ? { error: said.error } : errorBody(it.error)));
    }
    if (it.type === "result") return doneEvent;
    if (includeUsage) return event(it.data);
    if (it.extra) return null;
    const { usage: _, ...chunk } = JSON.parse(it.data);
    return event(JSON.stringify(chunk));
  };
