import OpenAI from "openai";
import { afterAll } from "vitest";
import type { ChatCompletion } from "../../../packages/local/src/openai/completion.ts";
import { type OpenAIOptions, startOpenAI } from "../../../packages/local/src/openai/server.ts";

/** A day on which every model that these tests ask for is served, so that they pass on any day. */
const someDay = new Date("2026-10-01T12:00:00Z");

/** A simulated OpenAI for one test file, ended after it, with the official client (no retries) and the bare wire. */
export async function simulate(options: OpenAIOptions = {}) {
  const server = await startOpenAI({ clock: () => someDay, ...options });
  afterAll(() => server.close());
  return {
    ...server,
    client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.apiKey, maxRetries: 0 }),
    /** Posts a completion as it is; `body` may be anything. */
    async post(body: unknown, headers: Record<string, string> = {}) {
      return await fetch(`${server.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${server.apiKey}`, "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
    },
    async control(method: string, path: string, body?: unknown) {
      const response = await fetch(`${server.url}/_control/${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    },
  };
}

/** A response's body: an error or a completion, as the test expects it. */
export async function wire(response: Response) {
  return (await response.json()) as ChatCompletion & {
    error: { message: string; type: string; param: string | null; code: string | null };
  };
}

/** The only choice of a completion, and the functions that it calls; an error or an empty answer fails the test. */
export async function choiceIn(response: Response) {
  const body = await wire(response);
  const [choice] = body.choices ?? [];
  if (!choice) throw new Error(`no choice in ${JSON.stringify(body)}`);
  const calls = (choice.message.tool_calls ?? []).flatMap((call) => (call.type === "function" ? [call] : []));
  return { ...choice, content: choice.message.content ?? "", calls };
}

/** A request that is answered, changed by `changes`. */
export function saying(content: string, changes: Record<string, unknown> = {}) {
  return { model: "gpt-4o-mini", messages: [{ role: "user", content }], ...changes };
}

export function dataUrl(bytes: Uint8Array, mime: string): string {
  return `data:${mime};base64,${Buffer.from(bytes).toString("base64")}`;
}

/** A request about one picture. */
export function showing(url: string, changes: Record<string, unknown> = {}, detail?: string) {
  const image = { type: "image_url", image_url: { url, ...(detail ? { detail } : {}) } };
  const content = [{ type: "text", text: "What sentiment does this image convey? Answer in JSON." }, image];
  return { model: "gpt-4o-mini", messages: [{ role: "user", content }], ...changes };
}
