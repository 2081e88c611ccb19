import type { IncomingMessage, ServerResponse } from "node:http";
import { badRequest, errorBody, isOpenAIError, openAIError } from "./error.ts";

/** OpenAI takes 50 MB of pictures a request; this leaves room for them in base64. */
const MAX_BODY_BYTES = 72 * 1024 * 1024;

/** The body as JSON; undefined when there is none. @throws OpenAIError 400 or 413 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BODY_BYTES)
      throw openAIError(413, `Maximum content size limit (${MAX_BODY_BYTES}) exceeded (${sizeBytes} bytes read)`, {
        headers: { connection: "close" },
      });
    chunks.push(chunk);
  }
  if (sizeBytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw badRequest(
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
    );
  }
}

/** @throws OpenAIError 401 */
export function authorize(request: IncomingMessage, apiKey: string): void {
  const given = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (given === apiKey) return;
  const message =
    given === undefined
      ? "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
      : `Incorrect API key provided: ${given.slice(0, 3)}***${given.slice(-4)}. You can find your API key at https://platform.openai.com/account/api-keys.`;
  throw openAIError(401, message, { code: "invalid_api_key" });
}

/** @throws OpenAIError 405 */
export function allow(allowed: string, method: string, path: string): void {
  if (method === allowed) return;
  throw openAIError(
    405,
    `Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`,
    { code: "method_not_supported" },
  );
}

/** Sets `openai-processing-ms`; to be called just before the headers go out. */
export function stampProcessing(response: ServerResponse, startedMs: number): void {
  response.setHeader("openai-processing-ms", Math.round(performance.now() - startedMs));
}

export function sendJson(response: ServerResponse, value: object): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value, null, 2));
}

/** An error that is not OpenAI's is this simulation's own, and says so. */
export function sendError(response: ServerResponse, error: unknown): void {
  const refusal = isOpenAIError(error)
    ? error
    : openAIError(500, `The simulated OpenAI failed: ${String(error)}`, { type: "server_error" });
  response.statusCode = refusal.status;
  response.setHeader("content-type", "application/json");
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
  response.end(errorBody(refusal));
}
