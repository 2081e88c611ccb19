import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import type { ImageStore } from "./image-store.ts";

/** S3's answer to `If-Match` when the object is another one by now. */
const replacedStatus = 412;
/** S3 tells a missing object from a forbidden one only to those who may list the bucket. */
const hiddenStatus = 403;

export function createImageStore(s3: S3Client, bucket: string): ImageStore {
  return {
    async get(key, { etag } = {}) {
      try {
        const { Body, Metadata } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: etag }));
        if (!Body) throw new Error("S3 answered without a body.");
        return { bytes: await Body.transformToByteArray(), metadata: Metadata ?? {} };
      } catch (error) {
        if (error instanceof NoSuchKey) return null;
        const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
        if (status === replacedStatus || status === hiddenStatus) return null;
        throw error;
      }
    },

    presignPost: (key, { contentType, maxBytes, ttlSeconds }) =>
      createPresignedPost(s3, {
        Bucket: bucket,
        Key: key,
        Fields: { "Content-Type": contentType, success_action_status: "201" },
        Conditions: [
          ["content-length-range", 1, maxBytes],
          ["eq", "$Content-Type", contentType],
          ["eq", "$success_action_status", "201"],
        ],
        Expires: ttlSeconds,
      }),

    async remove(key) {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
  };
}
