import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { AnswerStore } from "./answer-store.ts";

export function createS3AnswerStore(s3: S3Client, bucket: string): AnswerStore {
  return {
    async put(key, answer) {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: answer, ContentType: "application/json" }));
    },
    async get(key) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      if (!Body) throw new Error("S3 answered without a body.");
      return Body.transformToString();
    },
    async remove(key) {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
  };
}
