import { createParser } from "eventsource-parser";

interface Limits {
  /** Ends the connection to OpenAI. */
  abort: AbortController;
  /** The longest that the stream may be silent. */
  silenceMs: number;
  /** Epoch milliseconds at which it has to have ended. */
  deadlineMs: number;
}

const done = "[DONE]";
/** How long the response may take to end after it is done. */
const farewellMs = 1_000;

/**
 * The data of each server-sent event, as it comes, up to `[DONE]`. Throws when the response ends before, or takes too long. It
 * is read to its end, so that its connection can be used again.
 */
export async function* serverSentEvents(response: Response, limits: Limits): AsyncGenerator<string> {
  if (!response.body) throw new Error("The stream has no body.");
  const events: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => void events.push(data) });
  const decoder = new TextDecoder();
  let isDone = false;
  const patience = () => {
    const leftMs = Math.max(0, limits.deadlineMs - Date.now());
    return setTimeout(() => limits.abort.abort(), Math.min(isDone ? farewellMs : limits.silenceMs, leftMs));
  };
  let timer = patience();
  try {
    for await (const bytes of response.body) {
      clearTimeout(timer);
      parser.feed(decoder.decode(bytes, { stream: true }));
      for (const data of events.splice(0)) {
        isDone ||= data === done;
        if (!isDone) yield data;
      }
      timer = patience();
    }
    if (!isDone) throw new Error("The stream ended before it was done.");
  } catch (error) {
    if (!isDone) throw error;
  } finally {
    clearTimeout(timer);
    limits.abort.abort();
  }
}

export const event = (data: string, name?: string): string => `${name ? `event: ${name}\n` : ""}data: ${data}\n\n`;
export const doneEvent = event(done);
