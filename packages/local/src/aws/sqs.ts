import { mkdir } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import type { QueueSpec } from "../manifest.ts";
import type { Meter } from "../meter.ts";
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
import { createArrivals } from "./sqs/arrivals.ts";
import { operations, type SqsDeps } from "./sqs/operations.ts";
import { findQueue, provisionQueues } from "./sqs/queues.ts";
import { openStore, queueNameOf } from "./sqs/store.ts";

export interface SqsOptions {
  /** Where queues and messages live between runs. */
  dir: string;
  principals: Principals;
  /** By the name that `deadLetter.queue` refers to. */
  queues: Record<string, QueueSpec>;
  /**
   * Names of the queues whose consumers are part of this stage, and so ended with its last run: what they had in flight
   * is visible again at once, and not only when the visibility timeout of a function that died has passed.
   */
  consumed?: string[];
  region: string;
  account: string;
  faults?: Faults | undefined;
  meter?: Meter | undefined;
}

/** More than any batch with its JSON escapes. */
const maxRequestBytes = 16 * 1024 * 1024;

/** IAM has no actions for batches: each is the action of its parts. Source: service authorization reference, 2026. */
const permissionNames: Record<string, string> = {
  SendMessageBatch: "SendMessage",
  DeleteMessageBatch: "DeleteMessage",
  ChangeMessageVisibilityBatch: "ChangeMessageVisibility",
};

/** SQS standard queues, in the JSON protocol of every SDK since 2023, with signatures and policies enforced. */
export async function startSqs(options: SqsOptions) {
  await mkdir(options.dir, { recursive: true });
  const { region, account } = options;
  const store = openStore(path.join(options.dir, "sqs.db"));
  const listener = await listenOnLoopback(async (request, response) => {
    await answer(deps, request, response, options).catch((error) => sendJsonError(response, error));
  });
  const deps: SqsDeps = {
    store,
    arrivals: createArrivals(),
    arnOf: (queue) => `arn:aws:sqs:${region}:${account}:${queue}`,
    urlOf: (queue) => `${listener.endpoint}/${account}/${queue}`,
    moveTasks: [],
    now: Date.now,
  };
  provisionQueues(deps, options.queues);
  for (const name of options.consumed ?? []) {
    const queue = options.queues[name];
    if (queue) store.returnAll(queue.name);
  }
  return {
    endpoint: listener.endpoint,
    /** By the queue's own name. */
    queueUrl: deps.urlOf,
    async stop() {
      await listener.stop();
      store.close();
    },
  };
}

async function answer(deps: SqsDeps, request: IncomingMessage, response: ServerResponse, options: SqsOptions) {
  const body = await readBody(request, maxRequestBytes);
  if (body === null) throw new JsonProtocolError(413, `${coral}#RequestEntityTooLarge`, "Request entity is too large");
  const { principals, region } = options;
  const { principal } = await authenticate(request, body, { principals, region, service: "sqs" });
  const name = operationOf(request, /^AmazonSQS\./) ?? "";
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (!operation) {
    throw new JsonProtocolError(400, `${coral}#UnknownOperationException`, `SQS here has no operation "${name}".`);
  }
  const input = parseJsonObject(body);
  authorize(deps, principal, name, input, options);
  const call: ServiceCall = {
    service: "sqs",
    principal: principal.name,
    operation: name,
    traceId: traceIdOf(request),
  };
  const fault = (await options.faults?.strike(call)) ?? null;
  const refuse = (kind: keyof typeof refusals) => sendJsonError(response, refusals[kind]);
  if (!(await applyFault(fault, call, options.faults, { request, response }, refuse))) return;
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const output = await operation({ ...deps, reordered: fault?.kind === "reordered" }, input, gone.signal);
  if (fault?.kind === "redelivered") redeliver(deps, input, output);
  if (gone.signal.aborted) return;
  await options.meter?.answered(call, input, output);
  sendJson(response, 200, output);
}

const unavailable = new JsonProtocolError(503, `${coral}#ServiceUnavailable`, "The service is unavailable.");
const refusals = {
  throttled: new JsonProtocolError(400, "com.amazonaws.sqs#RequestThrottled", "The request was denied."),
  conflict: unavailable,
  unavailable,
};

/** What was received is visible again at once, as if its visibility timeout had ended early. */
function redeliver(deps: SqsDeps, input: Record<string, unknown>, output: unknown): void {
  const { Messages = [] } = output as { Messages?: { ReceiptHandle: string }[] };
  for (const { ReceiptHandle } of Messages) {
    const again = { QueueUrl: input.QueueUrl, ReceiptHandle, VisibilityTimeout: 0 };
    operations.ChangeMessageVisibility?.(deps, again, AbortSignal.timeout(1_000));
  }
}

function authorize(
  deps: SqsDeps,
  principal: Principal,
  operation: string,
  input: Record<string, unknown>,
  options: SqsOptions,
): void {
  const queue = queueOf(deps, operation, input);
  const request = { principal, action: `sqs:${permissionNames[operation] ?? operation}`, resource: deps.arnOf(queue) };
  const resourcePolicy = Object.values(options.queues).find(({ name }) => name === queue)?.policy;
  const decision = options.principals.authorize({ ...request, resourcePolicy });
  if (decision.outcome === "allowed") return;
  // SQS writes the action in lower case.
  const refusal = { ...request, ...decision, action: request.action.toLowerCase(), account: options.account };
  throw new JsonProtocolError(403, `${coral}#AccessDeniedException`, accessDeniedMessage(refusal), {
    "x-amzn-query-error": "AccessDenied;Sender",
  });
}

/** The queue that an operation is about; `*` for one about all. */
function queueOf(deps: SqsDeps, operation: string, input: Record<string, unknown>): string {
  if (operation === "ListQueues" || operation === "CancelMessageMoveTask") return "*";
  const { QueueName, SourceArn } = input;
  if (typeof QueueName === "string") return QueueName;
  if (typeof SourceArn === "string") return queueNameOf(SourceArn);
  return findQueue(deps, input).name;
}
