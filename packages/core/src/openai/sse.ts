import { createParser } from "eventsource-parser";

interface Limits {
  /** Ends the connection to OpenAI. */
  abort: AbortController;
  /** The longest that the stream may be silent. */
  silenceMs: number;
  /** Epoch milliseconds at which it has to have ended. */
  deadlineMs: number;
}

export interface StreamedData {
  /** What the server calls it: `error`, `ping`; undefined for an ordinary event. */
  name: string | undefined;
  data: string;
}

/** The response ended and did not say that it was done. */
export class StreamCutOff extends Error {
  constructor() {
    super("The stream ended before it was done.");
    this.name = "StreamCutOff";
  }
}

const done = "[DONE]";
/** How long the response may take to end after it is done. */
const farewellMs = 1_000;
/** What a server sends that answers with one JSON body although it was asked to stream. No event begins like this. */
const wholeBody = /^\s*[{[]/;

/**
 * Each server-sent event with data, as it comes, up to `[DONE]`. A body that is no stream, but one JSON value, is one event named
 * `whole`. Throws when the response ends before it is done (`StreamCutOff`), breaks off or takes too long. The response is read to
 * its end, which frees its connection for the next request.
 */
export async function* serverSentEvents(response: Response, limits: Limits): AsyncGenerator<StreamedData> {
  if (!response.body) throw new Error("The stream has no body.");
  const events: StreamedData[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (data.trim() !== "") events.push({ name: event, data });
    },
  });
  const decoder = new TextDecoder();
  let isDone = false;
  /** Of a body that is no stream; null in a stream, and undefined while nothing tells which of the two it is. */
  let whole: string | null | undefined;
  const feed = (text: string) => {
    if (whole === undefined && text.trim() !== "") whole = wholeBody.test(text) ? "" : null;
    if (typeof whole === "string") whole += text;
    else parser.feed(text);
  };
  const newEvents = function* () {
    for (const event of events.splice(0)) {
      isDone ||= event.data.trim() === done;
      if (!isDone) yield event;
    }
  };
  const patience = () => {
    const leftMs = Math.max(0, limits.deadlineMs - Date.now());
    return setTimeout(() => limits.abort.abort(), Math.min(isDone ? farewellMs : limits.silenceMs, leftMs));
  };
  let timer = patience();
  try {
    for await (const bytes of response.body) {
      clearTimeout(timer);
      feed(decoder.decode(bytes, { stream: true }));
      yield* newEvents();
      timer = patience();
    }
    if (typeof whole === "string") return yield { name: "whole", data: whole };
    // The last event may lack the empty line that ends it.
    if (!isDone) parser.feed(`${decoder.decode()}\n\n`);
    yield* newEvents();
    if (!isDone) throw new StreamCutOff();
  } catch (error) {
    if (!isDone) throw error;
  } finally {
    clearTimeout(timer);
    limits.abort.abort();
  }
}

export const event = (data: string, name?: string): string => `${name ? `event: ${name}\n` : ""}data: ${data}\n\n`;
export const doneEvent = event(done);
