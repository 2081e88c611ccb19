import type { IncomingMessage } from "node:http";
import type { BucketSpec } from "../../manifest.ts";
import {
  decodePath,
  type Identity,
  isPresigned,
  parseQuery,
  SignatureError,
  type Verifier,
  verifySignature,
} from "../sigv4.ts";
import { S3Error, s3Errors, signatureRefused } from "./error.ts";

/** S3's limit, of the key's UTF-8. Source: "Naming objects", S3 user guide, November 2026. */
const maxKeyBytes = 1024;

/**
 * Bucket and key of a request. The bucket stands in the host (`bucket.localhost`, `bucket.s3.localhost`) when that begins
 * with the name of one that exists, and in the path otherwise. The key is not normalised: `a/../b` is a key.
 */
export function targetOf(request: IncomingMessage, buckets: Map<string, BucketSpec>) {
  let path: string;
  try {
    path = decodePath((request.url ?? "/").split("?", 1)[0] ?? "/");
  } catch {
    throw new S3Error(400, "InvalidURI", "Couldn't parse the specified URI.");
  }
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  const inHost = [...buckets.keys()].find((name) => host.startsWith(`${name}.`));
  const [, inPath = "", rest = ""] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  const target = inHost === undefined ? { bucket: inPath, key: rest } : { bucket: inHost, key: path.slice(1) };
  checkKey(target.key);
  return target;
}

/** Throws S3Error for a key that S3 would not take. */
export function checkKey(key: string): void {
  const sizeBytes = Buffer.byteLength(key);
  if (sizeBytes > maxKeyBytes) throw s3Errors.keyTooLong(sizeBytes, maxKeyBytes);
}

export function queryOf(request: IncomingMessage): Record<string, string> {
  const query = parseQuery(request.url ?? "/");
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, [value].flat()[0] ?? ""]));
}

/** Verifies the signature in the headers or the query. Throws S3Error. */
export async function authenticate(request: IncomingMessage, verifier: Verifier): Promise<Identity> {
  const { method = "GET", url = "/", headers } = request;
  if (/[?&]AWSAccessKeyId=/.test(url) || headers.authorization?.startsWith("AWS ")) {
    // Signature Version 2, which S3 refuses for every bucket made since June 2020. boto3 still presigns with it by default.
    throw s3Errors.invalidRequest(
      "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    );
  }
  try {
    const identity = await verifySignature({ method, url, headers }, payloadHashOf(request), verifier);
    checkAllSigned(request, identity);
    return identity;
  } catch (error) {
    throw error instanceof SignatureError ? signatureRefused(error) : error;
  }
}

function payloadHashOf(request: IncomingMessage): string {
  const declared = request.headers["x-amz-content-sha256"];
  if (typeof declared === "string") return declared;
  if (isPresigned({ url: request.url ?? "/", headers: request.headers })) return "UNSIGNED-PAYLOAD";
  if (request.headers.authorization === undefined) return "";
  throw s3Errors.invalidRequest("Missing required header for this request: x-amz-content-sha256");
}

/** Whoever holds a presigned URL must not add metadata or a copy source to what was signed. */
function checkAllSigned(request: IncomingMessage, { signedHeaders }: Identity): void {
  const unsigned = Object.keys(request.headers).filter(
    (name) => name.startsWith("x-amz-") && name !== "x-amz-content-sha256" && !signedHeaders.includes(name),
  );
  if (unsigned.length === 0) return;
  const message = "There were headers present in the request which were not signed";
  throw new S3Error(403, "AccessDenied", message, { HeadersNotSigned: unsigned.join(", ") });
}
