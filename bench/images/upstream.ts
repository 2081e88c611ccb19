import type { IncomingMessage, ServerResponse } from "node:http";
import { listenOnLoopback } from "@tollgate/local/aws/loopback";
import { imageCompletion } from "../image-completion.ts";

/**
 * Stands in for OpenAI, and does nothing with an image but count its bytes. Answers when as many requests as `together` are
 * there to their last byte: so many are in flight at once, and each still holds whatever it holds.
 */
export async function startUpstream() {
  let together = 1;
  let requests = 0;
  let bytes = 0;
  let waiting: ServerResponse[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    for await (const chunk of request) bytes += chunk.length;
    requests += 1;
    waiting.push(response);
    if (waiting.length < together) return;
    for (const answered of waiting)
      answered.writeHead(200, { "content-type": "application/json" }).end(imageCompletion);
    waiting = [];
  };
  // A function that died has left its requests unfinished.
  const { endpoint, stop } = await listenOnLoopback(
    (request, response) => void take(request, response).catch(() => response.destroy()),
  );
  return {
    baseUrl: `${endpoint}/v1`,
    /** From now on. */
    expect(count: number) {
      [together, requests, bytes] = [count, 0, 0];
    },
    received: () => ({ requests, bytes }),
    stop,
  };
}
