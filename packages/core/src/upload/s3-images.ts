import type { Readable } from "node:stream";
import { DeleteObjectCommand, GetObjectCommand, type S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { maxImageBytes } from "../vision/image.ts";
import { type ImageStore, imageTooLarge } from "./image-store.ts";

/** S3's answer to `If-Match` when the object is another one by now. */
const replacedStatus = 412;
/**
 * S3 tells of a missing object only to those who may list the bucket. To others it answers 403, and names the permission that is
 * missing for the truth. Any other 403 is of an object that is there: its key of KMS may not be used, it is archived, or it may not
 * be read. Source: S3's API reference, "GetObject", and its user guide, "Troubleshoot access denied errors"; 2026-11.
 */
const isHidden = ({ $metadata, message }: S3ServiceException): boolean =>
  $metadata.httpStatusCode === 403 && /\bs3:ListBucket\b/.test(message);

/** Whether S3 refused for no other reason than that the object is not there, or not that one any more. */
const isGone = (error: unknown): boolean =>
  error instanceof S3ServiceException &&
  (error.name === "NoSuchKey" || error.$metadata.httpStatusCode === replacedStatus || isHidden(error));

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
