import type { IncomingHttpHeaders } from "node:http";
import { S3Error } from "./error.ts";

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

/** Node reads headers as Latin-1; clients that send other letters send their UTF-8. */
export function decodeHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? decodeUtf8(value) : value]),
  );
}

function decodeUtf8(value: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(value, "latin1"));
  } catch {
    return value;
  }
}

function withoutAwsChunked(encodings: string): string {
  return encodings
    .split(",")
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== "aws-chunked" && encoding !== "")
    .join(",");
}
