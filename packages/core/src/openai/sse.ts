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

/** The data of each server-sent event, as it comes, up to `[DONE]`. Throws when the response ends before, or takes too long. */
export async function* serverSentEvents(response: Response, limits: Limits): AsyncGenerator<string> {
  if (!response.body) throw new Error("The stream has no body.");
  const events: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => void events.push(data) });
  const decoder = new TextDecoder();
  const patience = () => {
    const leftMs = Math.max(0, limits.deadlineMs - Date.now());
    return setTimeout(() => limits.abort.abort(), Math.min(limits.silenceMs, leftMs));
  };
  let timer = patience();
  try {
    for await (const bytes of response.body) {
      clearTimeout(timer);
      parser.feed(decoder.decode(bytes, { stream: true }));
      for (const data of events.splice(0)) {
        if (data === done) return;
        yield data;
      }
      timer = patience();
    }
    throw new Error("The stream ended before it was done.");
  } finally {
    clearTimeout(timer);
    limits.abort.abort();
  }
}

export const event = (data: string, name?: string): string => `${name ? `event: ${name}\n` : ""}data: ${data}\n\n`;
export const doneEvent = event(done);
