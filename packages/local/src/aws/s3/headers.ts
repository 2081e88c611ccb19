import type { IncomingHttpHeaders } from "node:http";
import { decodeHeaders } from "../sigv4.ts";
import { decodeWords, encodeWord } from "./encoded-words.ts";
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

const metadataPrefix = "x-amz-meta-";

/** Of user metadata, names and values together. Source: S3 user guide, "User-defined object metadata", 2026. */
const maxMetadataBytes = 2048;

/** The headers of a PUT, or the fields of a form, that are given back with the object. Throws S3Error. */
export function storedHeaders(given: IncomingHttpHeaders | Record<string, string>): Record<string, string> {
  const headers: Record<string, string> = { "content-type": "binary/octet-stream" };
  let metadataBytes = 0;
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== "string") continue;
    if (name.startsWith(metadataPrefix)) {
      metadataBytes += Buffer.byteLength(name) - metadataPrefix.length + Buffer.byteLength(value);
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

/**
 * A stored value as S3 gives it back. Metadata is encoded; of the other headers, what ISO-8859-1 does not have becomes a space.
 * Source: what LocalStack's tests recorded of AWS (test_post_object_with_unicode_metadata), read in November 2026.
 */
export function headerValue(name: string, value: string): string {
  return name.startsWith(metadataPrefix) ? encodeWord(value) : value.replace(/[^\t\x20-\x7e\x80-\xff]/gu, " ");
}

/** Parameters of the signature itself, as they stand in a presigned URL. */
const signatureParameter =
  /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256)$/;

/**
 * SDKs move the `x-amz-…` headers of a presigned URL into its query. S3 reads the headers that it stores as ISO-8859-1, which Node does
 * too, and decodes RFC 2047 in metadata; the text of a query is UTF-8.
 * Source: "Working with object metadata", S3 user guide, whose example shows UTF-8 that was read so; and what LocalStack's tests recorded
 * of AWS (test_user_metadata_rfc2047_encoded, test_put_unicode_metadata_with_sig_s3), read in November 2026.
 */
export function headersOf(headers: IncomingHttpHeaders, query: Record<string, string>): IncomingHttpHeaders {
  const moved = Object.entries(query).flatMap(([given, value]) => {
    const name = given.toLowerCase();
    return name.startsWith("x-amz-") && !signatureParameter.test(name) ? [[name, value]] : [];
  });
  const stored = Object.entries(headers).flatMap(([name, value]) => {
    if (name.startsWith(metadataPrefix)) return [[name, decodeWords(String(value))]];
    return kept.includes(name) ? [[name, value]] : [];
  });
  return { ...Object.fromEntries(moved), ...decodeHeaders(headers), ...Object.fromEntries(stored) };
}

function withoutAwsChunked(encodings: string): string {
  return encodings
    .split(",")
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== "aws-chunked" && encoding !== "")
    .join(",");
}
