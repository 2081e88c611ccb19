import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import type { BucketSpec } from "../manifest.ts";
import type { Meter } from "../meter.ts";
import { applyFault, type Faults, type ServiceCall, traceIdOf } from "./fault.ts";
import type { Principals } from "./iam.ts";
import { listenOnLoopback } from "./loopback.ts";
import { createBlobs } from "./s3/blobs.ts";
import { createBucket } from "./s3/bucket.ts";
import { type S3Call, type S3Deps, sendEmpty } from "./s3/call.ts";
import { corsHeaders, preflight } from "./s3/cors.ts";
import { S3Error, s3Errors } from "./s3/error.ts";
import { testEvent } from "./s3/events.ts";
import { headersOf } from "./s3/headers.ts";
import { checkOptions } from "./s3/options.ts";
import { createOutbox, type OnEvent } from "./s3/outbox.ts";
import { postObject } from "./s3/post.ts";
import { authenticate, queryOf, targetOf } from "./s3/request.ts";
import { operationOf } from "./s3/route.ts";
import { openStore } from "./s3/store.ts";
import { xmlDocument } from "./s3/xml.ts";

export interface S3Options {
  /** Where objects live between runs. */
  dir: string;
  principals: Principals;
  buckets: BucketSpec[];
  region: string;
  account: string;
  faults?: Faults | undefined;
  meter?: Meter | undefined;
  /** Hands an event to its queue, named as in the notification; called again until it resolves. */
  onEvent: OnEvent;
}

/**
 * S3 on loopback: objects, multipart uploads, presigned URLs and forms, with signatures and policies enforced, and
 * notifications for created objects. Buckets are those of the manifest. No versions, ACLs or tags; bytes lie on the disk unencrypted.
 */
export async function startS3(options: S3Options) {
  const { principals, region, account } = options;
  await mkdir(options.dir, { recursive: true });
  const store = openStore(path.join(options.dir, "s3.db"));
  const blobs = createBlobs(path.join(options.dir, "blobs"));
  await blobs.prepare(store.blobs());
  const outbox = createOutbox(store, options.onEvent);
  const buckets = new Map(options.buckets.map((bucket) => [bucket.name, bucket]));
  const deps: S3Deps = { store, blobs, outbox, buckets, principals, region, account, now: Date.now };
  announceNotifications(deps);

  const listener = await listenOnLoopback(async (request, response) => {
    const requestId = newRequestId();
    response.setHeader("x-amz-request-id", requestId);
    response.setHeader("x-amz-id-2", requestId);
    response.setHeader("server", "AmazonS3");
    await answer(deps, request, response, requestId, options).catch((error) =>
      sendError(request, response, requestId, error),
    );
  });
  outbox.flush();
  return {
    endpoint: listener.endpoint,
    async stop() {
      await listener.stop();
      await outbox.stop();
      store.close();
    },
  };
}

async function answer(
  deps: S3Deps,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  { faults, meter }: S3Options,
) {
  const target = targetOf(request, deps.buckets);
  const bucket = deps.buckets.get(target.bucket);
  if (request.method === "OPTIONS") {
    sendEmpty(response, 200, preflight(bucket, target.key, request));
    return;
  }
  for (const [name, value] of Object.entries(corsHeaders(bucket, request))) response.setHeader(name, value);
  const query = queryOf(request);
  const headers = headersOf(request.headers, query);
  const call: S3Call = { deps, request, response, requestId, ...target, query, headers };
  if (target.key === "" && isForm(request)) {
    if (!deps.buckets.has(target.bucket)) throw s3Errors.noSuchBucket(target.bucket);
    const { name } = await postObject(call);
    await meter?.answered({ service: "s3", principal: name, operation: "postObject", traceId: null }, null, null);
    return;
  }
  const identity = await authenticate(request, { principals: deps.principals, region: deps.region, service: "s3" });
  const operation = operationOf(call);
  if (target.bucket !== "" && !bucket && operation !== createBucket) throw s3Errors.noSuchBucket(target.bucket);
  checkOptions(headers, { bucket, account: deps.account });
  const serviceCall: ServiceCall = {
    service: "s3",
    principal: identity.principal.name,
    operation: operation.name,
    traceId: traceIdOf(request),
  };
  const refuse = (kind: keyof typeof refusals) => sendError(request, response, requestId, refusals[kind]);
  const fault = (await faults?.strike(serviceCall)) ?? null;
  if (!(await applyFault(fault, serviceCall, faults, { request, response }, refuse))) return;
  await operation({ ...call, identity });
  await meter?.answered(serviceCall, null, null);
}

const refusals = {
  throttled: new S3Error(503, "SlowDown", "Please reduce your request rate."),
  conflict: new S3Error(503, "ServiceUnavailable", "Service is unable to handle request."),
  unavailable: new S3Error(500, "InternalError", "We encountered an internal error. Please try again."),
};

function isForm({ method, headers }: IncomingMessage): boolean {
  return method === "POST" && /^multipart\/form-data\b/i.test(headers["content-type"] ?? "");
}

/** Throws for a notification that would never come: only created objects are told of here. */
function announceNotifications({ store, buckets, now }: S3Deps): void {
  for (const bucket of buckets.values()) {
    for (const { queue, events } of bucket.notifications) {
      const other = events.find((event) => !event.startsWith("s3:ObjectCreated:"));
      if (other !== undefined)
        throw new Error(`Bucket ${bucket.name} asks for ${other}, which the local S3 does not send.`);
      store.announceNotification(bucket.name, queue, testEvent(bucket.name, newRequestId(), new Date(now())));
    }
  }
}

function sendError(request: IncomingMessage, response: ServerResponse, requestId: string, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const message = error instanceof Error ? error.message : "unknown";
  const known = error instanceof S3Error ? error : new S3Error(500, "InternalError", message);
  const text = xmlDocument(
    "Error",
    {
      Code: known.code,
      Message: known.message,
      ...known.details,
      Resource: (request.url ?? "/").split("?", 1)[0] ?? "/",
      RequestId: requestId,
      HostId: requestId,
    },
    null,
  );
  response.writeHead(known.status, { "content-type": "application/xml", "content-length": Buffer.byteLength(text) });
  response.end(request.method === "HEAD" ? undefined : text);
}

function newRequestId(): string {
  return randomBytes(8).toString("hex").toUpperCase();
}
