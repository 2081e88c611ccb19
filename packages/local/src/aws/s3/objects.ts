import { pipeline } from "node:stream/promises";
import { parseXML } from "@aws-sdk/xml-builder";
import * as z from "zod";
import { readBody } from "../loopback.ts";
import { joinBlobs, receiveBody } from "./body.ts";
import {
  authorize,
  commitObject,
  missingKey,
  type Operation,
  objectArn,
  type S3Call,
  type SignedCall,
  sendEmpty,
  sendXml,
} from "./call.ts";
import { checkDigests, declaredDigests, digestBody } from "./checksum.ts";
import { checkReadConditions, checkWriteConditions } from "./conditions.ts";
import { S3Error, s3Errors } from "./error.ts";
import { decodeHeaders, headerValue, storedHeaders } from "./headers.ts";
import { parseRange } from "./range.ts";
import type { StoredObject } from "./store.ts";

export const putObject: Operation = async (call) => {
  const { deps, request, response, bucket, key, query, identity } = call;
  authorize(deps, identity.principal, "s3:PutObject", objectArn(bucket, key));
  const headers = storedHeaders({ ...metadataOf(query), ...decodeHeaders(request.headers) });
  const check = (existing: StoredObject | null) => checkWriteConditions(request.headers, key, existing);
  // Once before the body, so that a refused one is not written, and once more as it becomes visible.
  check(deps.store.object(bucket, key));
  const { blob, sizeBytes, digests } = await receiveBody(request, identity, deps.blobs);
  const { md5: etag, checksum } = digests;
  const object = { bucket, key, blob, sizeBytes, etag, modifiedMs: deps.now(), headers, checksum };
  await commitObject(call, identity.principal, object, "Put", { check });
  sendEmpty(response, 200, { etag: `"${etag}"`, ...checksumHeaders(object) });
};

export const getObject: Operation = async (call) => {
  const { deps, request, response, query } = call;
  const { object, file } = await openObject(call);
  try {
    if (checkReadConditions(request.headers, object) === "notModified") {
      response.writeHead(304, { etag: `"${object.etag}"`, "last-modified": httpDate(object.modifiedMs) });
      response.end();
      return;
    }
    const range = parseRange(request.headers.range, object.sizeBytes);
    const length = range ? range.end - range.start + 1 : object.sizeBytes;
    const checksumWanted = request.headers["x-amz-checksum-mode"] === "ENABLED" && range === null;
    response.writeHead(range ? 206 : 200, {
      ...objectHeaders(object),
      ...responseOverrides(query),
      ...(checksumWanted ? checksumHeaders(object) : {}),
      ...(range ? { "content-range": `bytes ${range.start}-${range.end}/${object.sizeBytes}` } : {}),
      "content-length": length,
    });
    if (request.method === "HEAD" || length === 0) {
      response.end();
      return;
    }
    const bounds = range ? { start: range.start, end: range.end } : {};
    // A client that leaves in the middle is no error of ours.
    await pipeline(file.createReadStream({ ...bounds, autoClose: false }), response).catch(() => {});
  } finally {
    await file.close();
  }

  /** The object and its open file; looks again when the object was replaced in between. */
  async function openObject({ bucket, key, identity }: SignedCall) {
    authorize(deps, identity.principal, "s3:GetObject", objectArn(bucket, key));
    for (;;) {
      const found = deps.store.object(bucket, key);
      if (!found) throw missingKey(deps, identity.principal, bucket, key);
      const opened = await deps.blobs.open(found.blob);
      if (opened) return { object: found, file: opened };
    }
  }
};

export const deleteObject: Operation = async ({ deps, request, response, bucket, key, identity }) => {
  authorize(deps, identity.principal, "s3:DeleteObject", objectArn(bucket, key));
  const ifMatch = request.headers["if-match"];
  if (ifMatch !== undefined) {
    // An ETag to compare with tells of the object. Source: S3 user guide, "How to perform conditional deletes", November 2026.
    if (ifMatch !== "*") authorize(deps, identity.principal, "s3:GetObject", objectArn(bucket, key));
    const existing = deps.store.object(bucket, key);
    if (!existing) throw missingKey(deps, identity.principal, bucket, key);
    checkWriteConditions({ "if-match": ifMatch }, key, existing);
  }
  await removeObject({ deps, bucket, key });
  sendEmpty(response, 204);
};

const deletion = z.object({
  Delete: z.object({
    Quiet: z.string().optional(),
    Object: z
      .union([z.object({ Key: z.string() }), z.array(z.object({ Key: z.string() }))])
      .transform((one) => [one].flat()),
  }),
});

/** Each key has its own outcome: one that may not be deleted does not stop the others. */
export const deleteObjects: Operation = async ({ deps, request, response, bucket, identity }) => {
  const { Delete } = parseBody(deletion, await readCheckedBody(request));
  if (Delete.Object.length > 1000) throw s3Errors.malformedXml();
  const deleted: { Key: string }[] = [];
  const errors: { Key: string; Code: string; Message: string }[] = [];
  for (const { Key } of Delete.Object) {
    try {
      authorize(deps, identity.principal, "s3:DeleteObject", objectArn(bucket, Key));
      await removeObject({ deps, bucket, key: Key });
      deleted.push({ Key });
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      errors.push({ Key, Code: error.code, Message: error.message });
    }
  }
  sendXml(response, "DeleteResult", { Deleted: Delete.Quiet === "true" ? [] : deleted, Error: errors });
};

export const copyObject: Operation = async (call) => {
  const { deps, request, response, bucket, key, identity } = call;
  const source = copySourceOf(request.headers["x-amz-copy-source"]);
  authorize(deps, identity.principal, "s3:GetObject", objectArn(source.bucket, source.key));
  authorize(deps, identity.principal, "s3:PutObject", objectArn(bucket, key));
  if (!deps.buckets.has(source.bucket)) throw s3Errors.noSuchBucket(source.bucket);
  const original = deps.store.object(source.bucket, source.key);
  if (!original) throw missingKey(deps, identity.principal, source.bucket, source.key);
  checkCopyConditions(call, original);

  const replace = request.headers["x-amz-metadata-directive"] === "REPLACE";
  if (!replace && source.bucket === bucket && source.key === key) {
    throw s3Errors.invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's " +
        "metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const headers = replace ? storedHeaders(decodeHeaders(request.headers)) : original.headers;
  // The digests are computed anew: a multipart upload's ETag is not that of its copy.
  const { blob, digests } = await joinBlobs(deps.blobs, [original], original.checksum?.algorithm ?? null);
  const { md5: etag, checksum } = digests;
  const object = { ...original, bucket, key, blob, headers, modifiedMs: deps.now(), etag, checksum };
  await commitObject(call, identity.principal, object, "Copy");
  sendXml(response, "CopyObjectResult", {
    LastModified: new Date(object.modifiedMs).toISOString(),
    ETag: `"${object.etag}"`,
  });
};

/** Removes an object and its bytes; a key that does not exist is none the worse for it. */
async function removeObject({ deps, bucket, key }: Pick<S3Call, "deps" | "bucket" | "key">): Promise<void> {
  const blob = deps.store.deleteObject(bucket, key);
  if (blob !== null) await deps.blobs.remove([blob]);
}

/** A small XML body whose digests have been verified. Throws S3Error. */
export async function readCheckedBody(request: SignedCall["request"]): Promise<string> {
  const body = await readBody(request, 2 * 1024 * 1024);
  if (body === null) throw s3Errors.malformedXml();
  const declared = declaredDigests(request.headers);
  const digest = digestBody(declared);
  digest.update(body);
  checkDigests(declared, await digest.finish(), {});
  return body.toString();
}

export function parseBody<T extends z.ZodType>(shape: T, text: string): z.infer<T> {
  try {
    return shape.parse(parseXML(text));
  } catch {
    throw s3Errors.malformedXml();
  }
}

export function checksumHeaders({ checksum }: Pick<StoredObject, "checksum">): Record<string, string> {
  if (!checksum) return {};
  const type = checksum.value.includes("-") ? "COMPOSITE" : "FULL_OBJECT";
  return { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value, "x-amz-checksum-type": type };
}

/** SDKs move the metadata of a presigned URL from the headers into its query. */
function metadataOf(query: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).filter(([name]) => name.startsWith("x-amz-meta-")));
}

function objectHeaders(object: StoredObject): Record<string, string> {
  const stored = Object.entries(object.headers).map(([name, value]) => [name, headerValue(value)]);
  return {
    ...Object.fromEntries(stored),
    etag: `"${object.etag}"`,
    "last-modified": httpDate(object.modifiedMs),
    "accept-ranges": "bytes",
  };
}

/** `?response-content-type=…` and its like, which a presigned URL may carry. */
function responseOverrides(query: Record<string, string>): Record<string, string> {
  const overrides = Object.entries(query).flatMap(([name, value]) => {
    const header = /^response-(content-(?:type|language|disposition|encoding)|cache-control|expires)$/.exec(name)?.[1];
    return header ? [[header, headerValue(value)]] : [];
  });
  return Object.fromEntries(overrides);
}

/** `/bucket/key` or `bucket/key`, percent-encoded. Versions do not exist here. */
export function copySourceOf(header: string | string[] | undefined): { bucket: string; key: string } {
  let source: string;
  try {
    source = decodeURIComponent(String(header).replace(/\?versionId=.*$/, ""));
  } catch {
    throw s3Errors.invalidArgument("Copy Source must be percent-encoded", "x-amz-copy-source");
  }
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(source) ?? [];
  if (!bucket || !key) {
    throw s3Errors.invalidArgument("Copy Source must mention the source bucket and key", "x-amz-copy-source");
  }
  return { bucket, key };
}

function checkCopyConditions({ request }: SignedCall, original: StoredObject): void {
  const conditions = Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      name.startsWith("x-amz-copy-source-if-") ? [[name.slice("x-amz-copy-source-".length), value]] : [],
    ),
  );
  if (checkReadConditions(conditions, original) === "notModified")
    throw s3Errors.preconditionFailed("x-amz-copy-source");
}

function httpDate(ms: number): string {
  return new Date(ms).toUTCString();
}
