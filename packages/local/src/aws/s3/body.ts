import type { IncomingMessage } from "node:http";
import { bodyOf } from "../loopback.ts";
import type { Identity } from "../sigv4.ts";
import type { Blobs } from "./blobs.ts";
import { type BodyDigests, type ChecksumAlgorithm, checkDigests, declaredDigests, digestBody } from "./checksum.ts";
import { decodeAwsChunked } from "./chunked.ts";
import { S3Error, s3Errors } from "./error.ts";
import type { ByteRange } from "./range.ts";

/** S3's limit for one PUT. Source: S3 user guide, November 2026. */
const maxPutBytes = 5 * 1024 ** 3;

export interface ReceivedBody {
  blob: string;
  sizeBytes: number;
  digests: BodyDigests;
}

/**
 * Streams a request's body into a new blob and verifies every digest, length and signature that came with it.
 * Throws S3Error, and leaves no blob behind then.
 */
export async function receiveBody(request: IncomingMessage, identity: Identity, blobs: Blobs): Promise<ReceivedBody> {
  const declared = declaredDigests(request.headers);
  const wantedBytes = declaredLength(request);
  const digest = digestBody(declared);
  const trailers: Record<string, string> = {};

  async function* observed(): AsyncGenerator<Buffer> {
    for await (const chunk of decodedBody(request, identity, trailers)) {
      digest.update(chunk);
      yield chunk;
    }
  }

  const { blob, sizeBytes } = await blobs.write(observed());
  try {
    if (sizeBytes !== wantedBytes) throw s3Errors.incompleteBody();
    const digests = await digest.finish();
    checkDigests(declared, digests, trailers);
    return { blob, sizeBytes, digests };
  } catch (error) {
    await blobs.remove([blob]);
    throw error;
  }
}

/** A new blob of the bytes of others, one after another, with the digests of the whole. */
export async function joinBlobs(
  blobs: Blobs,
  sources: { blob: string; range?: ByteRange | null }[],
  algorithm: ChecksumAlgorithm | null,
): Promise<ReceivedBody> {
  const digest = digestBody({ md5: null, sha256Hex: null, algorithm, checksum: null });

  async function* joined(): AsyncGenerator<Buffer> {
    for (const { blob, range } of sources) {
      for await (const chunk of blobs.read(blob, range ?? {}) as AsyncIterable<Buffer>) {
        digest.update(chunk);
        yield chunk;
      }
    }
  }

  const written = await blobs.write(joined());
  return { ...written, digests: await digest.finish() };
}

function declaredLength(request: IncomingMessage): number {
  const length = request.headers["x-amz-decoded-content-length"] ?? request.headers["content-length"];
  if (length === undefined) {
    throw new S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  const sizeBytes = Number(length);
  if (!Number.isInteger(sizeBytes) || sizeBytes < 0) throw s3Errors.invalidArgument("Content-Length is not a number");
  if (sizeBytes > maxPutBytes) throw s3Errors.tooLarge(sizeBytes, maxPutBytes);
  return sizeBytes;
}

function decodedBody(
  request: IncomingMessage,
  identity: Identity,
  trailers: Record<string, string>,
): AsyncIterable<Buffer> {
  const body = bodyOf(request);
  switch (request.headers["x-amz-content-sha256"]) {
    case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
      return decodeAwsChunked(body, null, trailers);
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD":
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
      return decodeAwsChunked(body, identity, trailers);
    default:
      return body;
  }
}
