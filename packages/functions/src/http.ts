import { once } from "node:events";
import type { Writable } from "node:stream";
import type { Caller } from "@tollgate/core/completion/caller";
import { type AppError, errorBody, toAppError } from "@tollgate/core/error";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { fromAuthorizerContext } from "./authorizer-context.ts";
import { causeOf, log, withLogContext } from "./log.ts";

/** A request as the handlers see it. */
export interface HttpRequest extends Caller {
  method: string;
  /** API Gateway's resource: `/results/{id}`. */
  route: string;
  /** As the client asked for it: on API Gateway's own domain, the stage stands before the route. */
  path: string;
  params: Record<string, string>;
  query: Record<string, string>;
  /** By lower-case name. */
  headers: Record<string, string>;
  body: string | null;
  requestId: string;
}

export interface HttpResponse {
  status: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON, a string as it is; pieces are sent as they come, on a streaming route. */
  body: object | string | Pieces;
  /** For the log. */
  resultId?: string;
}

/** Read to their end even when the client is gone: what they tell of last is what the answer cost. */
interface Pieces extends AsyncIterable<string> {}

export type Handle = (request: HttpRequest) => Promise<HttpResponse>;
type EncodeError = (error: AppError) => HttpResponse;

/** A handler whose whole response API Gateway waits for. */
export const buffered =
  (handle: Handle) =>
  async (event: APIGatewayProxyEvent, context: Context): Promise<APIGatewayProxyResult> => {
    const request = requestOf(event, context);
    return withLogContext(subjectOf(request, context), async () => {
      const { status, headers, body } = await respond(handle, errorResponse, request);
      return { statusCode: status, headers: headers ?? {}, body: text(body) };
    });
  };

/** A handler on a streaming route: it may take 15 minutes. */
export const streaming = (handle: Handle, encodeError: EncodeError = errorResponse) =>
  awslambda.streamifyResponse(async (event: APIGatewayProxyEvent, stream, context) => {
    const request = requestOf(event, context);
    const patienceEndsMs = request.deadlineMs - unreadReserveMs;
    await withLogContext(subjectOf(request, context), async () =>
      send(await respond(handle, encodeError, request), stream, patienceEndsMs),
    );
  });

/**
 * Kept back from the function's time for an answer that its client does not take: as long as core keeps back for settling
 * (`settleReserveMs`), and the same before that to hear the rest of OpenAI's answer, which nobody asked for meanwhile.
 */
export const unreadReserveMs = 30_000;

/** A client that is still to take what was written at `patienceEndsMs`, in epoch milliseconds, counts as gone. */
async function send({ status, headers, body }: HttpResponse, stream: Writable, patienceEndsMs: number): Promise<void> {
  const out = awslambda.HttpResponseStream.from(stream, { statusCode: status, headers });
  let gone = false;
  const closed = new Promise<void>((done) => {
    const end = () => {
      gone = true;
      done();
    };
    out.on("close", end).on("finish", end).on("error", end);
  });
  // Status and headers leave with the first write, and not with a bare end.
  for await (const piece of isPieces(body) ? body : [text(body)]) {
    if (gone || out.write(piece)) continue;
    // Its timer keeps no process alive.
    const signal = AbortSignal.timeout(Math.max(0, patienceEndsMs - Date.now()));
    await Promise.race([once(out, "drain", { signal }), closed]).catch(() => {
      gone = true;
    });
  }
  out.end();
  await closed;
}

/** What every line in the log about a request says. */
const subjectOf = ({ requestId, method, route, owner, key }: HttpRequest, { awsRequestId }: Context) => ({
  request_id: requestId,
  aws_request_id: awsRequestId,
  route: `${method} ${route}`,
  owner: owner || undefined,
  key_id: key.keyId || undefined,
});

const isPieces = (body: HttpResponse["body"]): body is Pieces =>
  typeof body === "object" && Symbol.asyncIterator in body;

const text = (body: object | string): string => (typeof body === "string" ? body : JSON.stringify(body));

function requestOf(event: APIGatewayProxyEvent, context: Context): HttpRequest {
  const headers: Record<string, string> = {};
  // Several lines of one name are one list: RFC 9110, section 5.3.
  for (const [name, lines] of Object.entries(event.multiValueHeaders ?? {}))
    headers[name.toLowerCase()] = (lines ?? []).join(", ");
  const { authorizer, requestId } = event.requestContext;
  return {
    method: event.httpMethod,
    route: event.resource,
    path: event.requestContext.path,
    params: present(event.pathParameters),
    query: present(event.queryStringParameters),
    headers,
    body:
      event.body !== null && event.isBase64Encoded ? Buffer.from(event.body, "base64").toString("utf8") : event.body,
    requestId,
    owner: String(authorizer?.owner ?? ""),
    key: fromAuthorizerContext(authorizer ?? {}),
    idempotencyKey: headers["idempotency-key"] ?? null,
    deadlineMs: Date.now() + context.getRemainingTimeInMillis(),
  };
}

const present = (pairs: Record<string, string | undefined> | null): Record<string, string> =>
  Object.fromEntries(
    Object.entries(pairs ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

/** Runs a handler: whatever it throws becomes a response, and every request one line in the log. */
async function respond(handle: Handle, encodeError: EncodeError, request: HttpRequest): Promise<HttpResponse> {
  const startedMs = Date.now();
  let error: AppError | null = null;
  const response = await handle(request).catch((thrown: unknown) => {
    error = toAppError(thrown);
    return encodeError(error);
  });
  const fields = { status: response.status, latency_ms: Date.now() - startedMs, result_id: response.resultId };
  log(response.status >= 500 ? "error" : "info", "request", { ...fields, ...loggedError(error) });
  return {
    ...response,
    headers: {
      "content-type": "application/json",
      "x-request-id": request.requestId,
      ...(response.resultId && { "x-tollgate-result": response.resultId }),
      ...response.headers,
    },
  };
}

const loggedError = (error: AppError | null) =>
  error && { code: error.code, param: error.param ?? undefined, cause: causeOf(error.cause) };

export const errorResponse: EncodeError = (error) => ({
  status: error.status,
  ...(error.retryAfterSeconds !== null && { headers: { "retry-after": String(error.retryAfterSeconds) } }),
  body: errorBody(error),
  ...(error.resultId && { resultId: error.resultId }),
});
