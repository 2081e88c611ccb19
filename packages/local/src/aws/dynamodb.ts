import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { TableSpec } from "../manifest.ts";
import type { Meter } from "../meter.ts";
import { type Engine, startEngine } from "./dynamodb/engine.ts";
import { permissionsOf } from "./dynamodb/permissions.ts";
import { provisionTables } from "./dynamodb/tables.ts";
import { applyFault, type Faults, type ServiceCall, traceIdOf } from "./fault.ts";
import { accessDeniedMessage, type Principal, type Principals } from "./iam.ts";
import {
  authenticate,
  coral,
  JsonProtocolError,
  operationOf,
  parseJsonObject,
  sendJsonError,
} from "./json-protocol.ts";
import { listenOnLoopback, readBody, sendJson } from "./loopback.ts";

export interface DynamoDBOptions {
  /** Where the database lives between runs. */
  dir: string;
  principals: Principals;
  tables: TableSpec[];
  region: string;
  account: string;
  faults?: Faults | undefined;
  /** With one, every answer also says what the call consumed, by table and index. */
  meter?: Meter | undefined;
}

/** A request to DynamoDB is at most 16 MB. Source: BatchWriteItem's reference, November 2026. */
const maxRequestBytes = 16 * 1024 * 1024;

/** The engine parses a signature but verifies none; the gate has done that. */
const engineAuthorization =
  "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0";

/** Amazon's DynamoDB Local behind a gate that verifies signatures and enforces the caller's policy. */
export async function startDynamoDB(options: DynamoDBOptions) {
  const engine = await startEngine(options.dir);
  try {
    const engineEndpoint = `http://127.0.0.1:${engine.port}`;
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    // On a busy machine DynamoDB Local has answered 500 for a moment after it had begun to listen.
    const client = new DynamoDBClient({
      endpoint: engineEndpoint,
      region: options.region,
      credentials,
      maxAttempts: 10,
    });
    await provisionTables(client, options.tables);
    client.destroy();
    const agent = new Agent({ keepAlive: true });
    const gate = await listenOnLoopback(async (request, response) => {
      await admit(request, options)
        .then(async ({ body, call }) => {
          const fault = (await options.faults?.strike(call)) ?? null;
          const exchange = { request, response };
          const carriedOut = await applyFault(fault, call, options.faults, exchange, (kind) =>
            refuse(response, kind, body),
          );
          if (!carriedOut) return;
          forward(request, body, response, { engine, agent, metered: options.meter && { meter: options.meter, call } });
        })
        .catch((error) => sendJsonError(response, error));
    });
    return {
      endpoint: gate.endpoint,
      async stop() {
        await gate.stop();
        agent.destroy();
        await engine.stop();
      },
    };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

/** Resolves with the body of a request that may pass. Throws JsonProtocolError. */
async function admit(request: IncomingMessage, options: DynamoDBOptions): Promise<{ body: Buffer; call: ServiceCall }> {
  const body = await readBody(request, maxRequestBytes);
  if (body === null) throw new JsonProtocolError(413, `${coral}#RequestEntityTooLarge`, "Request entity is too large");
  const { principals, region } = options;
  const { principal } = await authenticate(request, body, { principals, region, service: "dynamodb" });
  const operation = operationOf(request, /^DynamoDB(Streams)?_20120810\./);
  if (operation === null) throw new JsonProtocolError(400, `${coral}#UnknownOperationException`, "Unknown operation");
  authorize(principal, operation, parseJsonObject(body), options);
  return { body, call: { service: "dynamodb", principal: principal.name, operation, traceId: traceIdOf(request) } };
}

const conflict = "Transaction is ongoing for the item";

/** Answers as DynamoDB does when it does not do what it was asked for. */
function refuse(response: ServerResponse, kind: "throttled" | "conflict" | "unavailable", body: Buffer): void {
  const answer = (status: number, type: string, message: string, more = {}) =>
    sendJson(response, status, { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message, ...more });
  const { TransactItems } = parseJsonObject(body);
  if (kind === "throttled") {
    answer(400, "ThrottlingException", "Rate of requests exceeds the allowed throughput.");
  } else if (kind === "unavailable") {
    answer(500, "InternalServerError", "Internal server error");
  } else if (Array.isArray(TransactItems)) {
    const CancellationReasons = TransactItems.map((_, i) =>
      i === 0 ? { Code: "TransactionConflict", Message: conflict } : { Code: "None" },
    );
    const codes = CancellationReasons.map(({ Code }) => Code).join(", ");
    const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`;
    answer(400, "TransactionCanceledException", message, { CancellationReasons });
  } else {
    answer(400, "TransactionConflictException", conflict);
  }
}

function authorize(
  principal: Principal,
  operation: string,
  input: Record<string, unknown>,
  options: DynamoDBOptions,
): void {
  const { account, region, principals } = options;
  const arnOf = (table: string) =>
    table.startsWith("arn:") ? table : `arn:aws:dynamodb:${region}:${account}:table/${table}`;
  const hashKeyOf = (table: string, index: string | undefined) => {
    const spec = options.tables.find(({ name }) => arnOf(name) === arnOf(table));
    return (index === undefined ? spec?.primaryIndex : spec?.globalIndexes[index])?.hashKey;
  };
  // An input that names no table needs the action on every table, so that only validation errors get through.
  const everyTable = { action: `dynamodb:${operation}`, resource: arnOf("*") };
  for (const permission of permissionsOf(operation, input, { arnOf, hashKeyOf }) ?? [everyTable]) {
    const request = { principal, ...permission };
    const decision = principals.authorize(request);
    if (decision.outcome === "allowed") continue;
    const message = accessDeniedMessage({ ...request, ...decision, account });
    throw new JsonProtocolError(400, `${coral}#AccessDeniedException`, message);
  }
}

interface Upstream {
  engine: Engine;
  agent: Agent;
  metered?: Metered | undefined;
}

interface Metered {
  meter: Meter;
  call: ServiceCall;
}

function forward(
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  { engine, agent, metered }: Upstream,
): void {
  const failure = engine.failure();
  if (failure !== null) {
    sendJsonError(response, new Error(failure));
    return;
  }
  const sent = metered ? askingForCapacity(body) : body;
  const headers = { ...request.headers, authorization: engineAuthorization, "content-length": String(sent.length) };
  delete headers["transfer-encoding"];
  delete headers.expect;
  const { method, url } = request;
  const upstream = httpRequest(
    { host: "127.0.0.1", port: engine.port, method, path: url, headers, agent },
    (answer) => {
      const pass = (content: Readable) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        // Its client may be gone.
        if (response.destroyed) content.resume();
        else pipeline(content, response, () => {});
      };
      if (metered) tell(metered, body, answer).then(pass, (error) => sendJsonError(response, error));
      else pass(answer);
    },
  );
  upstream.on("error", (error) => {
    if (response.headersSent) response.destroy();
    else sendJsonError(response, error);
  });
  response.on("close", () => {
    if (!response.writableFinished) upstream.destroy();
  });
  upstream.end(sent);
}

const askingForCapacity = (body: Buffer): Buffer =>
  Buffer.from(JSON.stringify({ ...parseJsonObject(body), ReturnConsumedCapacity: "INDEXES" }));

/** Tells the meter of an answer, and resolves with its content for whoever waits for it. */
async function tell({ meter, call }: Metered, body: Buffer, answer: IncomingMessage): Promise<Readable> {
  const content = await buffer(answer);
  await meter.answered(call, parseJsonObject(body), parseJsonObject(content));
  return Readable.from([content]);
}
