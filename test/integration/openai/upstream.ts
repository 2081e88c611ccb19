import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { createUpstream, type Upstream } from "@tollgate/core/openai/client";
import { afterAll } from "vitest";

/** How a server answers; `nth` counts its requests from 1. */
export type Answer = (response: ServerResponse, request: IncomingMessage, nth: number, body: string) => unknown;

/** A server that speaks OpenAI's protocol in its own way, and our client of it. Each path begins with the name of an answer. */
export async function serveAnswers(answers: Record<string, Answer>) {
  const counts = new Map<string, number>();
  const urls: string[] = [];
  const server = createServer(async (request, response) => {
    const name = request.url?.split("/")[1] ?? "";
    urls.push(request.url ?? "");
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const body = await text(request);
    await answers[name]?.(response, request, counts.get(name) ?? 0, body);
  });
  afterAll(() => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : null;
  return {
    urls,
    count: (name: string) => counts.get(name) ?? 0,
    upstream: (name: string, maxAttempts = 1): Upstream =>
      createUpstream({
        ...{ apiKey: "sk-test", baseUrl: `http://127.0.0.1:${port}/${name}/v1`, maxAttempts },
        ...{ attemptTimeoutMs: 10_000, budgetMs: 10_000, sleep: async () => {} },
      }),
  };
}

export const sendJson = (response: ServerResponse, body: unknown, status = 200): void =>
  void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

/** Sends a stream as it is written here. */
export const sendStream = (response: ServerResponse, body: string): void =>
  void response.writeHead(200, { "content-type": "text/event-stream" }).end(body);

const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 7, model: "gpt-4o-mini" };
export const usage = { prompt_tokens: 11, completion_tokens: 2, total_tokens: 13 };

export const chunk = (delta: object, changes: object = {}, choice: object = {}) => ({
  ...head,
  choices: [{ index: 0, delta, finish_reason: null, ...choice }],
  ...changes,
});
export const finish = chunk({}, {}, { finish_reason: "stop" });
export const usageChunk = { ...head, choices: [], usage };

/** An ordinary stream, with what a test changes about it. */
export const streamOf = (chunks: object[], { end = "data: [DONE]\n\n", before = "" } = {}): string =>
  before + chunks.map((data) => `data: ${JSON.stringify(data)}\n\n`).join("") + end;

export const hello = [chunk({ role: "assistant", content: "" }), chunk({ content: "Hel" }), chunk({ content: "lo" })];
