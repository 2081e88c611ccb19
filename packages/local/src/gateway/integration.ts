import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { LambdaServiceException } from "../lambda/error.ts";
import type { Lambda } from "../lambda/lambda.ts";
import type { RouteSpec } from "../manifest.ts";
import { GatewayFailure } from "./failure.ts";
import { type ProxyResponse, parseHead, parseProxyResponse } from "./proxy-response.ts";

/**
 * A stream may pause for 5 minutes on a regional endpoint.
 * Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html, November 2026.
 */
const STREAM_IDLE_TIMEOUT_MS = 5 * 60_000;

/** Invokes the function and writes its whole answer. @throws GatewayFailure when there is none to write */
export async function integrateBuffered(options: IntegrationOptions): Promise<void> {
  const { lambda, route, event, response } = options;
  const signal = AbortSignal.timeout(route.integrationTimeoutMs);
  const result = await lambda.invoke(route.function, event, { signal }).catch(throwGatewayFailure);
  if (!result.ok) throw badGateway(result.payload);
  const { body, ...head } = wellFormed(() => parseProxyResponse(result.payload));
  const content = Buffer.from(body);
  writeHead(response, head, { ...options.headers, "content-length": String(content.length) });
  response.end(content);
}

/** Invokes the function and forwards its answer as it comes. @throws GatewayFailure when it fails before its metadata */
export async function integrateStreaming(options: IntegrationOptions): Promise<void> {
  const { lambda, route, event, response } = options;
  const signal = AbortSignal.timeout(route.integrationTimeoutMs);
  const streamed = await lambda.invokeStreaming(route.function, event, { signal }).catch(throwGatewayFailure);
  const head = wellFormed(
    () => parseHead(streamed),
    () => streamed.body.destroy(),
  );
  writeHead(response, head, options.headers);
  response.flushHeaders();
  const idle = setTimeout(() => response.destroy(), STREAM_IDLE_TIMEOUT_MS);
  streamed.body.on("data", () => idle.refresh());
  // With its status sent, a response can only be broken off: by the function's failure, the time-out or the client.
  await pipeline(streamed.body, response, { signal }).catch((error: Error) => {
    streamed.body.destroy();
    options.log(error.message);
  });
  clearTimeout(idle);
}

export interface IntegrationOptions {
  lambda: Pick<Lambda, "invoke" | "invokeStreaming">;
  route: RouteSpec;
  event: unknown;
  response: ServerResponse;
  /** Headers that API Gateway adds. */
  headers: Record<string, string>;
  log(line: string): void;
}

function writeHead(response: ServerResponse, { statusCode, headers }: ProxyResponse, own: Record<string, string>) {
  for (const [name, values] of headers) response.setHeader(name, values.length === 1 ? String(values[0]) : values);
  if (!headers.has("content-type")) response.setHeader("content-type", "application/json");
  for (const [name, value] of Object.entries(own)) response.setHeader(name, value);
  response.writeHead(statusCode);
}

function wellFormed<T>(parse: () => T, otherwise?: () => void): T {
  try {
    return parse();
  } catch (cause) {
    otherwise?.();
    throw badGateway(cause);
  }
}

/** Malformed proxy responses and failed functions get 502, through DEFAULT_5XX for want of a type of their own. */
function badGateway(cause: unknown): GatewayFailure {
  return new GatewayFailure("DEFAULT_5XX", { cause });
}

function throwGatewayFailure(cause: unknown): never {
  if (cause instanceof Error && cause.name === "TimeoutError")
    throw new GatewayFailure("INTEGRATION_TIMEOUT", { cause });
  if (!(cause instanceof LambdaServiceException)) throw badGateway(cause);
  if (cause.name === "RequestTooLargeException") throw new GatewayFailure("REQUEST_TOO_LARGE", { cause });
  if (cause.name === "TooManyRequestsException") {
    // A throttled function is an integration failure, but with 500: clients see no 429 that is not the API's own.
    const message = "Internal server error";
    throw new GatewayFailure("INTEGRATION_FAILURE", { statusCode: 500, message, cause });
  }
  throw new GatewayFailure("API_CONFIGURATION_ERROR", { cause });
}
