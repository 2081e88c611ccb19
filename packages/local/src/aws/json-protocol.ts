import type { IncomingMessage, ServerResponse } from "node:http";
import { sendJson } from "./loopback.ts";
import { type Identity, mismatchMessage, SignatureError, sha256Hex, type Verifier, verifySignature } from "./sigv4.ts";

/** An error in the shape of AWS's JSON protocols, as SDKs parse it: `{"__type": "namespace#Name", "message": "…"}`. */
export class JsonProtocolError extends Error {
  readonly status: number;
  readonly type: string;
  readonly headers: Record<string, string>;
  constructor(status: number, type: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.headers = headers;
  }
}

/** The namespace of errors that come from AWS's front end and not from the service itself. */
export const coral = "com.amazon.coral.service";

/** Verifies the signature of a request whose body has been read. Throws JsonProtocolError. */
export async function authenticate(request: IncomingMessage, body: Buffer, verifier: Verifier): Promise<Identity> {
  const payloadHash = sha256Hex(body);
  const declared = request.headers["x-amz-content-sha256"];
  if (declared !== undefined && declared !== payloadHash) {
    throw new JsonProtocolError(400, `${coral}#InvalidSignatureException`, mismatchMessage);
  }
  const { method = "POST", url = "/", headers } = request;
  try {
    return await verifySignature({ method, url, headers }, payloadHash, verifier);
  } catch (error) {
    if (error instanceof SignatureError) throw signatureRefused(error);
    throw error;
  }
}

/** `com.amazonaws.sqs` and `AmazonSQS.SendMessage` → `SendMessage`, or null for another service's target. */
export function operationOf(request: IncomingMessage, targetPrefix: RegExp): string | null {
  const target = request.headers["x-amz-target"];
  return typeof target === "string" && targetPrefix.test(target) ? target.replace(targetPrefix, "") : null;
}

/** The body of a request, which is an object in every operation. Throws JsonProtocolError. */
export function parseJsonObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString() || "{}");
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Answered below, as any other value is.
  }
  throw new JsonProtocolError(400, `${coral}#SerializationException`, "The request is not a JSON object");
}

export function sendJsonError(response: ServerResponse, error: unknown): void {
  const known =
    error instanceof JsonProtocolError
      ? error
      : new JsonProtocolError(500, `${coral}#InternalServerError`, error instanceof Error ? error.message : "unknown");
  // Front-end errors spell their message with a capital; SDKs read either.
  const key = known.type.endsWith("#AccessDeniedException") ? "Message" : "message";
  sendJson(response, known.status, { __type: known.type, [key]: known.message }, known.headers);
}

function signatureRefused({ fault, message }: SignatureError): JsonProtocolError {
  const names: Partial<Record<SignatureError["fault"], string>> = {
    missing: "MissingAuthenticationTokenException",
    malformed: "IncompleteSignatureException",
    unknownKey: "UnrecognizedClientException",
  };
  return new JsonProtocolError(400, `${coral}#${names[fault] ?? "InvalidSignatureException"}`, message);
}
