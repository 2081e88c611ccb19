import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { BucketSpec } from "../../manifest.ts";
import {
  type AccessRequest,
  accessDeniedMessage,
  type Principal,
  type Principals,
  type RequestContext,
} from "../iam.ts";
import type { Identity } from "../sigv4.ts";
import type { Blobs } from "./blobs.ts";
import { type S3Error, s3Errors } from "./error.ts";
import { bucketArn, type ObjectCreated, objectCreatedEvents } from "./events.ts";
import type { Outbox } from "./outbox.ts";
import type { S3Store, StoredObject } from "./store.ts";
import { s3Namespace, type Xml, xmlDocument } from "./xml.ts";

export interface S3Deps {
  store: S3Store;
  blobs: Blobs;
  outbox: Outbox;
  buckets: Map<string, BucketSpec>;
  principals: Principals;
  region: string;
  account: string;
  now: () => number;
}

/** One request that has been routed, and, but for a form, authenticated. */
export interface S3Call {
  deps: S3Deps;
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  /** Empty for the list of buckets. */
  bucket: string;
  /** Empty for an operation on the bucket. */
  key: string;
  /** A repeated parameter counts once. */
  query: Record<string, string>;
  /** Decoded, with those that a presigned URL has in its query. */
  headers: IncomingHttpHeaders;
}

export interface SignedCall extends S3Call {
  identity: Identity;
}

export type Operation = (call: SignedCall) => Promise<void> | void;

/** Throws S3Error unless the principal's and the bucket's policies allow the action. */
export function authorize(
  deps: S3Deps,
  principal: Principal,
  action: string,
  resource: string,
  context?: RequestContext,
): void {
  const refusal = refusalOf(deps, { principal, action, resource, context });
  if (refusal) throw refusal;
}

function refusalOf(deps: S3Deps, request: AccessRequest): S3Error | null {
  const [, bucket = ""] = /^arn:aws:s3:::([^/]+)/.exec(request.resource) ?? [];
  const decision = deps.principals.authorize({ ...request, resourcePolicy: deps.buckets.get(bucket)?.policy });
  if (decision.outcome === "allowed") return null;
  const resource = `"${request.resource}"`;
  return s3Errors.accessDenied(accessDeniedMessage({ ...request, ...decision, resource, account: deps.account }));
}

/** Throws S3Error unless the principal may use the bucket's own KMS key, where it has one: S3 asks for the key in its name. */
export function authorizeKey(
  deps: S3Deps,
  principal: Principal,
  bucket: string,
  ...actions: ("kms:Decrypt" | "kms:GenerateDataKey")[]
): void {
  const keyArn = deps.buckets.get(bucket)?.kmsKeyArn;
  for (const action of keyArn ? actions : []) authorize(deps, principal, action, keyArn ?? "");
}

/** S3 encrypts every object since January 2023, and says how. Source: S3 user guide, November 2026. */
export function encryptionHeaders({ deps, bucket }: Pick<S3Call, "deps" | "bucket">): Record<string, string> {
  const keyArn = deps.buckets.get(bucket)?.kmsKeyArn;
  return {
    "x-amz-server-side-encryption": keyArn ? "aws:kms" : "AES256",
    ...(keyArn && { "x-amz-server-side-encryption-aws-kms-key-id": keyArn }),
  };
}

export function objectArn(bucket: string, key: string): string {
  return `${bucketArn(bucket)}/${key}`;
}

/** For a key that does not exist: S3 tells so only to callers who may list the bucket. Returns the error to throw. */
export function missingKey(deps: S3Deps, principal: Principal, bucket: string, key: string): S3Error {
  const list = { principal, action: "s3:ListBucket", resource: bucketArn(bucket) };
  return refusalOf(deps, list) ?? s3Errors.noSuchKey(key);
}

/** Makes an object visible and starts its events on their way. */
export async function commitObject(
  { deps, request, requestId }: S3Call,
  principal: Principal,
  object: StoredObject,
  cause: ObjectCreated,
  options: Parameters<S3Store["putObject"]>[2] = {},
): Promise<void> {
  const bucket = deps.buckets.get(object.bucket);
  if (!bucket) throw s3Errors.noSuchBucket(object.bucket);
  const source = {
    region: deps.region,
    account: deps.account,
    requestId,
    sourceIp: request.socket.remoteAddress ?? "127.0.0.1",
    principalId: `AWS:${principal.accessKeyId}`,
  };
  const eventsOf = (sequencer: string) => objectCreatedEvents(bucket, object, cause, source, sequencer);
  let unused: string[];
  try {
    unused = deps.store.putObject(object, eventsOf, options);
  } catch (error) {
    await deps.blobs.remove([object.blob]);
    throw error;
  }
  deps.outbox.flush();
  await deps.blobs.remove(unused);
}

export function sendXml(
  response: ServerResponse,
  root: string,
  content: Xml,
  namespace: string | null = s3Namespace,
  headers: Record<string, string> = {},
) {
  const text = xmlDocument(root, content, namespace);
  response.writeHead(200, {
    ...headers,
    "content-type": "application/xml",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

export function sendEmpty(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, status === 204 ? headers : { ...headers, "content-length": "0" });
  response.end();
}
