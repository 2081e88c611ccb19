import type { IncomingHttpHeaders } from "node:http";
import { decodeHeaders } from "../sigv4.ts";
import { S3Error } from "./error.ts";
import { parseStorageClass, storageClassHeader } from "./storage-class.ts";

/** What S3 keeps with an object besides its metadata. */
const kept = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
];

/** Of user metadata, names and values together. Source: S3 user guide, "User-defined object metadata", 2026. */
const maxMetadataBytes = 2048;

/** The headers of a PUT, or the fields of a form, that are given back with the object. Throws S3Error. */
export function storedHeaders(given: IncomingHttpHeaders | Record<string, string>): Record<string, string> {
  const headers: Record<string, string> = { "content-type": "binary/octet-stream" };
  let metadataBytes = 0;
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== "string") continue;
    if (name.startsWith("x-amz-meta-")) {
      metadataBytes += Buffer.byteLength(name) - "x-amz-meta-".length + Buffer.byteLength(value);
      headers[name] = value;
    } else if (kept.includes(name)) {
      const stored = name === "content-encoding" ? withoutAwsChunked(value) : value;
      if (stored !== "") headers[name] = stored;
    }
  }
  const storageClass = parseStorageClass([given[storageClassHeader]].flat()[0]);
  if (storageClass !== "STANDARD") headers[storageClassHeader] = storageClass;
  if (metadataBytes > maxMetadataBytes) {
    throw new S3Error(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", {
      Size: metadataBytes,
      MaxSizeAllowed: maxMetadataBytes,
    });
  }
  return headers;
}

/** A value as it may stand in an HTTP header: S3 encodes what is not ASCII as RFC 2047 says. */
export function headerValue(value: string): string {
  if (/^[\t\x20-\x7e]*$/.test(value)) return value;
  return `=?UTF-8?B?${Buffer.from(value).toString("base64")}?=`;
}

/** Parameters of the signature itself, as they stand in a presigned URL. */
const signatureParameter =
  /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256)$/;

/** SDKs move the `x-amz-…` headers of a presigned URL into its query. */
export function headersOf(headers: IncomingHttpHeaders, query: Record<string, string>): IncomingHttpHeaders {
  const moved = Object.entries(query).flatMap(([given, value]) => {
    const name = given.toLowerCase();
    return name.startsWith("x-amz-") && !signatureParameter.test(name) ? [[name, value]] : [];
  });
  return { ...Object.fromEntries(moved), ...decodeHeaders(headers) };
}

function withoutAwsChunked(encodings: string): string {
  return encodings
    .split(",")
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== "aws-chunked" && encoding !== "")
    .join(",");
}
