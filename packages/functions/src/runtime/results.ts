import type { AnswerStore } from "@tollgate/core/result/answer-store";
import type { ResultStore } from "@tollgate/core/result/store";
import { bucketName, tableName } from "./config.ts";
import { dynamodb } from "./dynamodb.ts";

/** S3's client is loaded with the first answer that is too large for the table: nearly never. */
const s3Answers = async (): Promise<AnswerStore> => {
  const [{ S3Client }, { createS3AnswerStore }] = await Promise.all([
    import("@aws-sdk/client-s3"),
    import("@tollgate/core/result/s3-answers"),
  ]);
  return createS3AnswerStore(new S3Client(), bucketName());
};

const answers: AnswerStore = {
  put: async (key, answer) => (await s3Answers()).put(key, answer),
  get: async (key) => (await s3Answers()).get(key),
  remove: async (key) => (await s3Answers()).remove(key),
};

export const store: ResultStore = { dynamodb, tableName: tableName(), answers };
