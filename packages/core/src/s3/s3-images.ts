import type { Readable } from "node:stream";
import { DeleteObjectCommand, GetObjectCommand, type S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { maxImageBytes } from "../image/image.ts";
import { type ImageStore, imageTooLarge } from "./image-store.ts";

/** S3's answer to `If-Match` when the object is another one by now. */
const replacedStatus = 412;
/**
 * S3 tells a missing object from a forbidden one only to those who may list the bucket. Others are refused `s3:ListBucket`, by name.
 * A key may hold any words and stands later in the sentence, so the action is read at its place.
 * Source: "Troubleshoot access denied (403 Forbidden) errors in Amazon S3", S3 user guide, and "GetObject", S3 API reference, November 2026.
 */
const listingRefused = /^User: \S+ is not authorized to perform: s3:ListBucket on resource: /;

/**
 * Whether the object is missing, or has been replaced. Any other refusal says nothing of that: the role may lack a permission for the
 * object or for its KMS key, and an archived object has to be restored first.
 */
const isGone = (error: unknown): boolean =>
  error instanceof S3ServiceException &&
  (error.name === "NoSuchKey" ||
    error.$metadata.httpStatusCode === replacedStatus ||
    (error.name === "AccessDenied" && listingRefused.test(error.message)));

export function createImageStore(s3: S3Client, bucket: string): ImageStore {
  return {
    async get(key, { etag } = {}) {
      try {
        const command = new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag });
        const { Body, ContentLength, Metadata } = await s3.send(command);
        if (!Body || ContentLength === undefined) throw new Error("S3 answered without a body, or without its length.");
        return { bytes: await read(Body as Readable, ContentLength), metadata: Metadata ?? {} };
      } catch (error) {
        if (isGone(error)) return null;
        throw error;
      }
    },

    async remove(key, { etag } = {}) {
      try {
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag }));
      } catch (error) {
        if (etag === undefined || !isGone(error)) throw error;
      }
    },
  };
}

/** Into memory that is as large as the image from the beginning: no piece of it is held twice. */
async function read(body: Readable, sizeBytes: number): Promise<Buffer> {
  if (sizeBytes > maxImageBytes) {
    body.destroy();
    throw imageTooLarge(sizeBytes);
  }
  const bytes = Buffer.alloc(sizeBytes);
  let filled = 0;
  for await (const chunk of body) filled += (chunk as Buffer).copy(bytes, filled);
  if (filled < sizeBytes) throw new Error(`S3 sent ${filled} of ${sizeBytes} bytes.`);
  return bytes;
}
