import type { IncomingHttpHeaders } from "node:http";
import { s3Errors } from "./error.ts";
import type { StoredObject } from "./store.ts";

/** Of a GET or HEAD: whether the object is to be sent or 304. Throws S3Error (412). Order of precedence: RFC 9110, 13.2.2. */
export function checkReadConditions(headers: IncomingHttpHeaders, object: StoredObject): "send" | "notModified" {
  const modifiedSecond = Math.floor(object.modifiedMs / 1000) * 1000;
  const ifMatch = headers["if-match"];
  const ifUnmodifiedSince = dateMs(headers["if-unmodified-since"]);
  if (ifMatch !== undefined) {
    if (!namesEtag(ifMatch, object.etag)) throw s3Errors.preconditionFailed("If-Match");
  } else if (ifUnmodifiedSince !== null && modifiedSecond > ifUnmodifiedSince) {
    throw s3Errors.preconditionFailed("If-Unmodified-Since");
  }
  const ifNoneMatch = headers["if-none-match"];
  const ifModifiedSince = dateMs(headers["if-modified-since"]);
  if (ifNoneMatch !== undefined) return namesEtag(ifNoneMatch, object.etag) ? "notModified" : "send";
  return ifModifiedSince !== null && modifiedSecond <= ifModifiedSince ? "notModified" : "send";
}

/** Of a write: `If-None-Match: *` for a new key only, `If-Match` for that content only. Throws S3Error. */
export function checkWriteConditions(headers: IncomingHttpHeaders, key: string, existing: StoredObject | null): void {
  const ifMatch = headers["if-match"];
  const ifNoneMatch = headers["if-none-match"];
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== "*") throw s3Errors.notImplemented("If-None-Match with a value other than *");
    if (existing) throw s3Errors.preconditionFailed("If-None-Match");
  }
  if (ifMatch === undefined) return;
  if (!existing) throw s3Errors.noSuchKey(key);
  if (!namesEtag(ifMatch, existing.etag)) throw s3Errors.preconditionFailed("If-Match");
}

function namesEtag(list: string, etag: string): boolean {
  return list.split(",").some((item) => {
    const name = item.trim().replace(/^"|"$/g, "");
    return name === "*" || name === etag;
  });
}

function dateMs(header: string | undefined): number | null {
  const ms = Date.parse(header ?? "");
  return Number.isNaN(ms) ? null : ms;
}
