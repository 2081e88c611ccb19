import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { addKey } from "@tollgate/core/key/store";
import { toAttributes } from "@tollgate/core/result/store";
import { counterUpdate, shardCount } from "@tollgate/core/usage/ledger";
import { apiKey, credentials, owner, region, resultId } from "./known.ts";

const answer = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  model: "gpt-4o-mini-2024-07-18",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello!", refusal: null }, finish_reason: "stop" }],
});

/** A week of one model's counters. */
const days = Array.from({ length: 7 }, (_, day) => `2026-11-${15 + day}`);
const counts = { requests: 1_000, prompt_tokens: 19_000, completion_tokens: 10_000, total_tokens: 29_000 };

/** What the measured functions read: an API key, a result, and counters. */
export async function seed(endpoint: string, ca: string, tableName: string): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region, credentials, requestHandler: { httpsAgent: { ca } } });
  const dynamodb = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  await addKey({ dynamodb, tableName }, apiKey, owner, new Date());
  const result = {
    id: resultId,
    kind: "chat" as const,
    source: "http" as const,
    status: "succeeded" as const,
    owner,
    model: "gpt-4o-mini-2024-07-18",
    schema: null,
    structured: false,
    usage: {
      promptTokens: 19,
      completionTokens: 10,
      totalTokens: 29,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
    },
    costNanoUsd: 8_850,
    openai: { id: "chatcmpl-1", requestId: "req_1", attempts: 1, serviceTier: "default" },
    image: null,
    error: null,
    metadata: {},
    createdAt: "2026-11-22T09:00:00.000Z",
    completedAt: "2026-11-22T09:00:01.000Z",
    latencyMs: 1_000,
  };
  const item = {
    result,
    revision: "1",
    lease_id: "1",
    lease_expires_at: 0,
    request_hash: null,
    pending_unaccounted: 0,
    ledger: [],
    answer,
  };
  await dynamodb.send(new PutCommand({ TableName: tableName, Item: toAttributes(item) }));
  const model = result.model;
  for (const day of days)
    for (let shard = 0; shard < shardCount; shard++) {
      const { Key } = counterUpdate(tableName, owner, { day, model, counts }, shard);
      await dynamodb.send(new PutCommand({ TableName: tableName, Item: { ...Key, day, model, ...counts } }));
    }
  client.destroy();
}
