import { pipeline } from "node:stream/promises";
import { parseXML } from "@aws-sdk/xml-builder";
import * as z from "zod";
import { readBody } from "../loopback.ts";
import { joinBlobs, receiveBody } from "./body.ts";
import { sendAcl } from "./bucket.ts";
import {
  authorize,
  authorizeKey,
  commitObject,
  encryptionHeaders,
  missingKey,
  type Operation,
  objectArn,
  type S3Call,
  type SignedCall,
  sendEmpty,
  sendXml,
} from "./call.ts";
import { algorithmNamed, checkDigests, declaredDigests, digestBody } from "./checksum.ts";
import { checkReadConditions, checkWriteConditions } from "./conditions.ts";
import { S3Error, s3Errors } from "./error.ts";
import { headerValue, storedHeaders } from "./headers.ts";
import { parseRange } from "./range.ts";
import { checkReadable, storageClassHeader } from "./storage-class.ts";
import type { StoredObject } from "./store.ts";
import { s3Namespace } from "./xml.ts";

export const putObject: Operation = async (call) => {
  const { deps, request, response, bucket, key, identity } = call;
  authorize(deps, identity.principal, "s3:PutObject", objectArn(bucket, key));
  authorizeKey(deps, identity.principal, bucket, "kms:GenerateDataKey");
  const headers = storedHeaders(call.headers);
  const check = (existing: StoredObject | null) => checkWriteConditions(request.headers, key, existing);
  // Once before the body, so that a refused one is not written, and once more as it becomes visible.
  check(deps.store.object(bucket, key));
  const { blob, sizeBytes, digests } = await receiveBody(request, identity, deps.blobs);
  const { md5: etag, checksum } = digests;
  const object = { bucket, key, blob, sizeBytes, etag, modifiedMs: deps.now(), headers, checksum };
  await commitObject(call, identity.principal, object, "Put", { check });
  sendEmpty(response, 200, { etag: `"${etag}"`, ...checksumHeaders(object), ...encryptionHeaders(call) });
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
    const checksumWanted = call.headers["x-amz-checksum-mode"] === "ENABLED" && range === null;
    response.writeHead(range ? 206 : 200, {
      ...objectHeaders(object),
      ...responseOverrides(query),
      ...(checksumWanted ? checksumHeaders(object) : {}),
      ...encryptionHeaders(call),
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
      // Who asks for the headers alone needs neither the key nor a restored object.
      if (request.method !== "HEAD") {
        checkReadable(found, "read");
        authorizeKey(deps, identity.principal, bucket, "kms:Decrypt");
      }
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

/** Nobody has tags here. `aws s3 cp` asks before it copies a large object. */
export const getObjectTagging: Operation = (call) => {
  readableObject(call, "s3:GetObjectTagging");
  sendXml(call.response, "Tagging", { TagSet: "" });
};

export const getObjectAcl: Operation = (call) => {
  readableObject(call, "s3:GetObjectAcl");
  sendAcl(call);
};

/** Throws S3Error for an object that is not there, or about which the caller may not ask. */
function readableObject({ deps, bucket, key, identity }: SignedCall, action: string): void {
  authorize(deps, identity.principal, action, objectArn(bucket, key));
  if (!deps.store.object(bucket, key)) throw missingKey(deps, identity.principal, bucket, key);
}

const namedObject = z.object({
  Key: z.string(),
  VersionId: z.string().optional(),
  ETag: z.string().optional(),
  LastModifiedTime: z.string().optional(),
  Size: z.string().optional(),
});
const deletion = z.object({
  Delete: z.object({
    Quiet: z.string().optional(),
    Object: z.union([namedObject, z.array(namedObject)]).transform((one) => [one].flat()),
  }),
});

/** Each key has its own outcome: one that may not be deleted does not stop the others. */
export const deleteObjects: Operation = async ({ deps, request, response, bucket, identity }) => {
  const { Delete } = parseBody(deletion, await readCheckedBody(request));
  if (Delete.Object.length > 1000) throw s3Errors.malformedXml();
  const deleted: { Key: string }[] = [];
  const errors: { Key: string; Code: string; Message: string }[] = [];
  for (const { Key, VersionId = "null", ...conditions } of Delete.Object) {
    try {
      const [condition] = VersionId === "null" ? Object.keys(conditions) : ["VersionId"];
      if (condition !== undefined) throw s3Errors.notImplemented(`${condition} of an object to delete`);
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
  const { deps, response, bucket, key, identity } = call;
  const source = copySourceOf(call.headers["x-amz-copy-source"]);
  authorize(deps, identity.principal, "s3:GetObject", objectArn(source.bucket, source.key));
  authorize(deps, identity.principal, "s3:PutObject", objectArn(bucket, key));
  if (!deps.buckets.has(source.bucket)) throw s3Errors.noSuchBucket(source.bucket);
  const original = deps.store.object(source.bucket, source.key);
  if (!original) throw missingKey(deps, identity.principal, source.bucket, source.key);
  authorizeKey(deps, identity.principal, source.bucket, "kms:Decrypt");
  authorizeKey(deps, identity.principal, bucket, "kms:GenerateDataKey");
  checkReadable(original, "copy");
  checkCopyConditions(call.headers, original);

  const replaces = replacesMetadata(call);
  if (source.bucket === bucket && source.key === key && !replaces && !changesObject(call)) {
    throw s3Errors.invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's " +
        "metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  // The class is the request's, and never that of the original.
  const { [storageClassHeader]: _, ...originalHeaders } = original.headers;
  const storageClass = call.headers[storageClassHeader];
  const headers = storedHeaders(
    replaces
      ? call.headers
      : { ...originalHeaders, ...(storageClass !== undefined && { [storageClassHeader]: storageClass }) },
  );
  const wanted = algorithmNamed([call.headers["x-amz-checksum-algorithm"]].flat()[0]);
  // The digests are computed anew: a multipart upload's ETag is not that of its copy.
  const { blob, digests } = await joinBlobs(deps.blobs, [original], wanted ?? original.checksum?.algorithm ?? null);
  const { md5: etag, checksum } = digests;
  const object = { ...original, bucket, key, blob, headers, modifiedMs: deps.now(), etag, checksum };
  await commitObject(call, identity.principal, object, "Copy");
  sendXml(
    response,
    "CopyObjectResult",
    { LastModified: new Date(object.modifiedMs).toISOString(), ETag: `"${object.etag}"` },
    s3Namespace,
    encryptionHeaders(call),
  );
};

function replacesMetadata({ headers }: SignedCall): boolean {
  const directive = headers["x-amz-metadata-directive"] ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE") {
    throw s3Errors.invalidArgument("Unknown metadata directive.", "x-amz-metadata-directive", String(directive));
  }
  return directive === "REPLACE";
}

/**
 * Whether a copy of an object onto itself does something: S3 looks at what the request names, and not at whether it is new.
 * Source: what LocalStack's tests recorded of AWS (test_s3_copy_object_in_place…), read in November 2026.
 */
function changesObject({ deps, bucket, headers }: SignedCall): boolean {
  const named = [storageClassHeader, "x-amz-server-side-encryption"].some((name) => headers[name] !== undefined);
  return named || deps.buckets.get(bucket)?.kmsKeyArn != null;
}

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

function objectHeaders(object: StoredObject): Record<string, string> {
  const stored = Object.entries(object.headers).map(([name, value]) => [name, headerValue(name, value)]);
  return {
    ...Object.fromEntries(stored),
    etag: `"${object.etag}"`,
    "last-modified": httpDate(object.modifiedMs),
    "accept-ranges": "bytes",
  };
}

/**
 * `?response-content-type=…` and its like, which a presigned URL may carry. Throws S3Error.
 * Source: what LocalStack's tests recorded of AWS (test_get_response_overrides_unicode_metadata_with_sig_s3), read in November 2026.
 */
function responseOverrides(query: Record<string, string>): Record<string, string> {
  const overrides = Object.entries(query).flatMap(([name, value]) => {
    const header = /^response-(content-(?:type|language|disposition|encoding)|cache-control|expires)$/.exec(name)?.[1];
    if (!header) return [];
    if (/[\u{100}-\u{10ffff}]/u.test(value)) {
      throw s3Errors.invalidArgument("Header value cannot be represented using ISO-8859-1.", name, value);
    }
    return [[header, headerValue(header, value)]];
  });
  return Object.fromEntries(overrides);
}

/** `/bucket/key` or `bucket/key`, percent-encoded. Throws S3Error. */
export function copySourceOf(header: string | string[] | undefined): { bucket: string; key: string } {
  const [, path = "", version = "null"] = /^(.*?)(?:\?versionId=(.*))?$/s.exec(String(header)) ?? [];
  if (version !== "null") throw s3Errors.notImplemented("versionId in x-amz-copy-source");
  let source: string;
  try {
    source = decodeURIComponent(path);
  } catch {
    throw s3Errors.invalidArgument("Copy Source must be percent-encoded", "x-amz-copy-source");
  }
  const [, bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(source) ?? [];
  if (!bucket || !key) {
    throw s3Errors.invalidArgument("Copy Source must mention the source bucket and key", "x-amz-copy-source");
  }
  return { bucket, key };
}

export function checkCopyConditions(headers: SignedCall["headers"], original: StoredObject): void {
  const conditions = Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith("x-amz-copy-source-if-") ? [[name.slice("x-amz-copy-source-".length), value]] : [],
    ),
  );
  if (checkReadConditions(conditions, original) === "notModified")
    throw s3Errors.preconditionFailed("x-amz-copy-source");
}

function httpDate(ms: number): string {
  return new Date(ms).toUTCString();
}
