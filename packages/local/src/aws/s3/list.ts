import { authorize, type Operation, type SignedCall, sendXml } from "./call.ts";
import { s3Errors } from "./error.ts";
import { bucketArn } from "./events.ts";
import { storageClassOf } from "./storage-class.ts";
import type { StoredObject } from "./store.ts";

const maxKeysLimit = 1000;

export const listBuckets: Operation = ({ deps, response, identity }) => {
  authorize(deps, identity.principal, "s3:ListAllMyBuckets", "*");
  const Bucket = [...deps.buckets.keys()].sort().map((Name) => ({
    Name,
    CreationDate: "2026-01-01T00:00:00.000Z",
    BucketRegion: deps.region,
  }));
  const Owner = { ID: deps.account, DisplayName: deps.account };
  sendXml(response, "ListAllMyBucketsResult", { Owner, Buckets: { Bucket } });
};

export const listObjectsV2: Operation = (call) => {
  const { response, bucket, query } = call;
  const token = query["continuation-token"];
  const startAfter = query["start-after"] ?? "";
  const page = listPage(call, token === undefined ? { after: startAfter } : decodeToken(token));
  const encode = encoder(query["encoding-type"]);
  sendXml(response, "ListBucketResult", {
    Name: bucket,
    Prefix: encode(query.prefix ?? ""),
    ...(query.delimiter === undefined ? {} : { Delimiter: encode(query.delimiter) }),
    ...(query["start-after"] === undefined ? {} : { StartAfter: encode(startAfter) }),
    ...(query["encoding-type"] === undefined ? {} : { EncodingType: "url" }),
    ...(token === undefined ? {} : { ContinuationToken: token }),
    ...(page.next === null ? {} : { NextContinuationToken: encodeToken(page.next) }),
    KeyCount: page.objects.length + page.commonPrefixes.length,
    MaxKeys: page.maxKeys,
    IsTruncated: page.next !== null,
    ...pageContent(page, { encode, owner: query["fetch-owner"] === "true" ? call.deps.account : null }),
  });
};

export const listObjects: Operation = (call) => {
  const { response, bucket, query } = call;
  const page = listPage(call, { after: query.marker ?? "" });
  const encode = encoder(query["encoding-type"]);
  sendXml(response, "ListBucketResult", {
    Name: bucket,
    Prefix: encode(query.prefix ?? ""),
    Marker: encode(query.marker ?? ""),
    ...(query.delimiter === undefined ? {} : { Delimiter: encode(query.delimiter) }),
    ...(page.next === null || query.delimiter === undefined ? {} : { NextMarker: encode(page.next.after) }),
    ...(query["encoding-type"] === undefined ? {} : { EncodingType: "url" }),
    MaxKeys: page.maxKeys,
    IsTruncated: page.next !== null,
    ...pageContent(page, { encode, owner: call.deps.account }),
  });
};

/** Where a listing goes on: behind this key, or behind every key that a common prefix stands for. */
interface Position {
  after: string;
}

interface Page {
  objects: StoredObject[];
  commonPrefixes: string[];
  maxKeys: number;
  next: Position | null;
}

function listPage({ deps, bucket, query, identity }: SignedCall, position: Position): Page {
  const { prefix = "", delimiter = "" } = query;
  authorize(deps, identity.principal, "s3:ListBucket", bucketArn(bucket), {
    "s3:prefix": prefix,
    "s3:delimiter": delimiter,
    "s3:max-keys": query["max-keys"] ?? String(maxKeysLimit),
  });
  const maxKeys = maxKeysOf(query["max-keys"]);
  const page: Page = { objects: [], commonPrefixes: [], maxKeys, next: null };
  if (maxKeys === 0) return page;

  let from = later(prefix, following(position.after, delimiter, prefix));
  let last = "";
  for (;;) {
    const batch = deps.store.objectsFrom(bucket, from, maxKeysLimit + 1);
    for (const object of batch) {
      if (!object.key.startsWith(prefix)) return page;
      if (compareKeys(object.key, from) < 0) continue;
      if (page.objects.length + page.commonPrefixes.length === maxKeys) {
        page.next = { after: last };
        return page;
      }
      const common = commonPrefixOf(object.key, prefix, delimiter);
      if (common === null) page.objects.push(object);
      else page.commonPrefixes.push(common);
      last = common ?? object.key;
      from = following(last, delimiter, prefix);
    }
    if (batch.length <= maxKeysLimit) return page;
  }
}

/** The first key that a listing may show after one, or after all keys that a common prefix stands for. */
function following(after: string, delimiter: string, prefix: string): string {
  if (after === "") return "";
  const isCommonPrefix = delimiter !== "" && after.endsWith(delimiter) && after.length > prefix.length;
  return after + (isCommonPrefix ? "\u{10FFFF}" : "\0");
}

function commonPrefixOf(key: string, prefix: string, delimiter: string): string | null {
  if (delimiter === "") return null;
  const end = key.indexOf(delimiter, prefix.length);
  return end === -1 ? null : key.slice(0, end + delimiter.length);
}

/** By UTF-8 bytes, as the store sorts: JavaScript's own order differs beyond U+FFFF. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function later(a: string, b: string): string {
  return compareKeys(a, b) >= 0 ? a : b;
}

function maxKeysOf(text: string | undefined): number {
  if (text === undefined) return maxKeysLimit;
  if (!/^\d{1,9}$/.test(text))
    throw s3Errors.invalidArgument("Provided max-keys not an integer or within integer range");
  return Math.min(Number(text), maxKeysLimit);
}

function pageContent(
  { objects, commonPrefixes }: Page,
  { encode, owner }: { encode: (text: string) => string; owner: string | null },
) {
  return {
    Contents: objects.map((object) => ({
      Key: encode(object.key),
      LastModified: new Date(object.modifiedMs).toISOString(),
      ETag: `"${object.etag}"`,
      ...(object.checksum ? { ChecksumAlgorithm: object.checksum.algorithm.toUpperCase() } : {}),
      Size: object.sizeBytes,
      ...(owner !== null && { Owner: { ID: owner } }),
      StorageClass: storageClassOf(object),
    })),
    CommonPrefixes: commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  };
}

function encoder(encodingType: string | undefined): (text: string) => string {
  if (encodingType === undefined) return (text) => text;
  if (encodingType !== "url") throw s3Errors.invalidArgument("Invalid Encoding Method specified in Request");
  return (text) => encodeURIComponent(text).replaceAll("%2F", "/");
}

function encodeToken({ after }: Position): string {
  return Buffer.from(after).toString("base64url");
}

function decodeToken(token: string): Position {
  const after = Buffer.from(token, "base64url").toString();
  if (after === "" || encodeToken({ after }) !== token) {
    throw s3Errors.invalidArgument("The continuation token provided is incorrect", "continuation-token");
  }
  return { after };
}
