import type { IncomingMessage } from "node:http";
import { GatewayFailure } from "./failure.ts";

/** The payload limit of a REST API: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html. */
const LIMIT_BYTES = 10 * 1024 * 1024;

/** How long a client may go on sending a body that was refused. */
const DISCARD_TIMEOUT_MS = 30_000;

/** Whether the request says by itself that its body is over the limit. */
export function announcesTooLargeBody(request: IncomingMessage): boolean {
  return Number(request.headers["content-length"] ?? 0) > LIMIT_BYTES;
}

export function bodyTooLarge(): GatewayFailure {
  return new GatewayFailure("REQUEST_TOO_LARGE", { message: `HTTP content length exceeded ${LIMIT_BYTES} bytes.` });
}

/**
 * Reads the body as text, as a REST API without binary media types does, and keeps no more of it than the limit.
 *
 * @returns null when the request has no body
 * @throws GatewayFailure REQUEST_TOO_LARGE
 */
export async function readBody(request: IncomingMessage): Promise<string | null> {
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  request.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= LIMIT_BYTES) chunks.push(chunk);
    else {
      chunks.length = 0;
      reject(bodyTooLarge());
    }
  });
  request.once("end", () => resolve(sizeBytes === 0 ? null : Buffer.concat(chunks).toString("utf8")));
  request.once("error", reject);
  return promise;
}

/**
 * Throws the rest of the body away. A client that is still sending does not read its answer before it has finished, and
 * a connection that is closed on unread bytes is reset, answer and all.
 */
export async function discardBody(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed || withholdsBody(request)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timeout = setTimeout(resolve, DISCARD_TIMEOUT_MS);
  request.once("end", resolve).once("close", resolve).resume();
  await promise;
  clearTimeout(timeout);
}

/** Whether the client waits to be asked for a body that it will not be asked for. */
export function withholdsBody(request: IncomingMessage): boolean {
  return request.headers.expect?.toLowerCase() === "100-continue" && announcesTooLargeBody(request);
}
