import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const described = {
  description: "A rocket stands on its pad.",
  alt_text: "A rocket on its pad",
  objects: ["rocket"],
  text: null,
  colors: ["gray"],
};

const completion = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_795_000_000,
  model: "gpt-4o-mini-2024-07-18",
  service_tier: "default",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: JSON.stringify(described), refusal: null },
      finish_reason: "stop",
    },
  ],
  usage: { prompt_tokens: 25_700, completion_tokens: 40, total_tokens: 25_740 },
});

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
    for (const answered of waiting) answered.writeHead(200, { "content-type": "application/json" }).end(completion);
    waiting = [];
  };
  // A function that died has left its requests unfinished.
  const server = createServer((request, response) => void take(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    /** From now on. */
    expect(count: number) {
      [together, requests, bytes] = [count, 0, 0];
    },
    received: () => ({ requests, bytes }),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
