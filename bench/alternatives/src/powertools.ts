// The naive handler, made idempotent by AWS Lambda Powertools: the request's key is put before OpenAI is called, and updated with
// the answer after it. No ledger.
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { handler as chat, client } from "./naive.ts";

const persistenceStore = new DynamoDBPersistenceLayer({
  tableName: process.env.TABLE_NAME ?? "",
  awsSdkV3Client: client,
});
const config = new IdempotencyConfig({ eventKeyJmesPath: 'headers."Idempotency-Key"' });

export const handler = makeIdempotent(chat, { persistenceStore, config });
