import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What the runtime is handed when it asks for its next invocation. */
export interface NextInvocation {
  requestId: string;
  /** The event, as JSON. */
  payload: string;
  deadlineMs: number;
  functionArn: string;
  traceId: string;
}

/** How a runtime speaks to the execution environment that it lives in. */
export interface RuntimeListener {
  /** The runtime is ready. Resolves once there is an invocation, however long that takes. */
  next(): Promise<NextInvocation>;
  /** The response begins. Resolves when it was read to its end. */
  respond(requestId: string, response: IncomingMessage): Promise<"accepted" | "unknown" | "too large">;
  /** @param body `{"errorType", "errorMessage", "trace"}` in JSON */
  fail(requestId: string, errorType: string, body: string): "accepted" | "unknown";
  failInit(errorType: string, body: string): void;
}

const PREFIX = "/2018-06-01/runtime";
const STATUS = { accepted: 202, unknown: 400, "too large": 413 } as const;

/**
 * Serves Lambda's Runtime API to one execution environment, on an ephemeral port of loopback.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, read in November 2026.
 *
 * @returns address `host:port`, for `AWS_LAMBDA_RUNTIME_API`
 */
export async function startRuntimeApi(runtime: RuntimeListener): Promise<{ address: string; close(): void }> {
  const server = createServer((request, response) => {
    // A runtime that dies in the middle of a request is dealt with where its process ends.
    answer(runtime, request, response).catch(() => response.destroy());
  });
  // A response may stream for 15 minutes, and an idle environment keeps its connection for as long as it lives.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(runtime: RuntimeListener, request: IncomingMessage, response: ServerResponse) {
  const route = `${request.method} ${request.url}`;
  if (route === `GET ${PREFIX}/invocation/next`) {
    const invocation = await runtime.next();
    response.writeHead(200, {
      "Content-Type": "application/json",
      "Lambda-Runtime-Aws-Request-Id": invocation.requestId,
      "Lambda-Runtime-Deadline-Ms": String(invocation.deadlineMs),
      "Lambda-Runtime-Invoked-Function-Arn": invocation.functionArn,
      "Lambda-Runtime-Trace-Id": invocation.traceId,
    });
    response.end(invocation.payload);
    return;
  }
  if (route === `POST ${PREFIX}/init/error`) {
    const body = await text(request);
    runtime.failInit(errorType(request, body), body);
    reply(response, "accepted");
    return;
  }
  const [, requestId = "", action] = /^POST \S+\/invocation\/([^/]+)\/(response|error)$/.exec(route) ?? [];
  if (action === "response") reply(response, await runtime.respond(requestId, request));
  else if (action === "error") {
    const body = await text(request);
    reply(response, runtime.fail(requestId, errorType(request, body), body));
  } else response.writeHead(404).end();
}

/** The header is optional, and Amazon's own client sends it for errors of init alone. */
function errorType(request: IncomingMessage, body: string): string {
  const header = request.headers["lambda-runtime-function-error-type"];
  if (typeof header === "string") return header;
  try {
    return String(JSON.parse(body).errorType ?? "Unhandled");
  } catch {
    return "Unhandled";
  }
}

function reply(response: ServerResponse, outcome: keyof typeof STATUS) {
  response.writeHead(STATUS[outcome], { "Content-Type": "application/json" });
  response.end(JSON.stringify({ status: outcome === "accepted" ? "OK" : outcome }));
}
