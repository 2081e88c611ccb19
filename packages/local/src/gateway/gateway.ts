import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Lambda } from "../lambda/lambda.ts";
import type { ApiSpec } from "../manifest.ts";
import { createAuthorizer } from "./authorizer.ts";
import { GatewayFailure } from "./failure.ts";
import { gatewayResponse } from "./gateway-response.ts";
import { integrateBuffered, integrateStreaming } from "./integration.ts";
import { apiIdOf, createProxyEvent, type ProxyEvent } from "./proxy-event.ts";
import { announcesTooLargeBody, bodyTooLarge, discardBody, readBody, withholdsBody } from "./request-body.ts";
import { createRouter } from "./router.ts";
import { createThrottle } from "./throttle.ts";

/**
 * Request line and header values together: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html. That
 * page gives no status for more; 431 is HTTP's own (RFC 6585, section 5).
 */
const HEADER_LIMIT_BYTES = 10_240;

/** Where Node itself gives up on a request's headers, with a bare 431. */
const PARSER_HEADER_LIMIT_BYTES = 64 * 1024;

export interface GatewayOptions {
  /** 0 for any. */
  port: number;
  api: ApiSpec;
  lambda: Pick<Lambda, "invoke" | "invokeStreaming">;
  accountId: string;
  region: string;
  /** Takes what API Gateway's execution log would say of a request that went wrong. */
  log(requestId: string, line: string): void;
  /** How long `stop` lets requests end. */
  drainTimeoutMs?: number;
}

/** Serves a REST API on loopback as API Gateway does a regional one, its stage mapped to the root of a domain. */
export async function startGateway(options: GatewayOptions): Promise<{ url: string; stop(): Promise<void> }> {
  const { api, lambda, drainTimeoutMs = 5_000 } = options;
  const { accountId, region } = options;
  const identity = { apiId: apiIdOf(api.name), stageName: api.stageName, accountId, region };
  const route = createRouter(api.routes);
  const takeToken = createThrottle(api.throttling, () => performance.now());
  const authorize =
    api.authorizer === null
      ? null
      : createAuthorizer({ spec: api.authorizer, lambda, api: identity, now: () => Date.now() });

  /** @throws GatewayFailure for everything that the function does not answer itself */
  const handle = async (request: IncomingMessage, response: ServerResponse, event: ProxyEvent) => {
    const match = route(event.httpMethod, event.path);
    if (headerBytes(request) > HEADER_LIMIT_BYTES) {
      throw new GatewayFailure("DEFAULT_4XX", { statusCode: 431, message: "Request Header Fields Too Large" });
    }
    if (!match?.route) throw noSuchRoute(request);
    if (!takeToken(match.route)) throw new GatewayFailure("THROTTLED");
    if (announcesTooLargeBody(request)) throw bodyTooLarge();
    if (match.route.authorized) {
      if (authorize === null) throw new GatewayFailure("AUTHORIZER_CONFIGURATION_ERROR");
      event.requestContext.authorizer = await authorize(event);
    }
    const integrate = match.route.streaming ? integrateStreaming : integrateBuffered;
    await integrate({
      lambda,
      route: match.route,
      event: { ...event, body: await readBody(request), isBase64Encoded: false },
      response,
      headers: ownHeaders(event),
      log: (line) => options.log(event.requestContext.requestId, line),
    });
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const [path = "/"] = (request.url ?? "/").split("?");
    const event = createProxyEvent(request, identity, route(request.method ?? "GET", path));
    // A client that leaves early is no failure of the stage's.
    response.on("error", (error) =>
      options.log(event.requestContext.requestId, `the client is gone: ${error.message}`),
    );
    try {
      await handle(request, response, event);
    } catch (error) {
      const failure = error instanceof GatewayFailure ? error : new GatewayFailure("DEFAULT_5XX", { cause: error });
      options.log(event.requestContext.requestId, `${failure.responseType}: ${failure.cause ?? failure.message}`);
      if (response.headersSent) return response.destroy();
      const { statusCode, headers, body } = gatewayResponse(api.gatewayResponses, failure, event);
      response.writeHead(statusCode, { ...ownHeaders(event), ...headers, "Content-Length": Buffer.byteLength(body) });
      response.write(body);
      await discardBody(request);
      response.end();
    }
  };

  /** No request may end the stage: what went wrong with it ends its connection and is logged. */
  const serveSafely = (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response).catch((error: unknown) => {
      options.log("-", `${request.method} failed: ${error instanceof Error ? error.stack : error}`);
      response.destroy();
    });
  };
  const server = createServer({ maxHeaderSize: PARSER_HEADER_LIMIT_BYTES }, serveSafely);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    // With its body unsent, the client cannot use the connection for another request.
    if (withholdsBody(request)) response.setHeader("Connection", "close");
    else response.writeContinue();
    serveSafely(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      const deadline = setTimeout(() => server.closeAllConnections(), drainTimeoutMs);
      await closed;
      clearTimeout(deadline);
    },
  };
}

/** Where there is no method that could say otherwise, API Gateway looks for the signature of a request to AWS, and finds a key. */
function noSuchRoute({ headers }: IncomingMessage): GatewayFailure {
  return new GatewayFailure(headers.authorization ? "INVALID_SIGNATURE" : "MISSING_AUTHENTICATION_TOKEN");
}

function headerBytes(request: IncomingMessage): number {
  const values = request.rawHeaders.filter((_, i) => i % 2 === 1);
  const requestLine = `${request.method} ${request.url} HTTP/${request.httpVersion}`;
  return [requestLine, ...values].reduce((bytes, value) => bytes + Buffer.byteLength(value), 0);
}

function ownHeaders({ requestContext, headers }: ProxyEvent): Record<string, string> {
  return {
    "x-amzn-RequestId": requestContext.requestId,
    "x-amz-apigw-id": requestContext.extendedRequestId,
    "X-Amzn-Trace-Id": headers["X-Amzn-Trace-Id"] ?? "",
  };
}
