import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import * as z from "zod";
import { partitions } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import { AppError } from "../error.ts";

const windowMs = 60_000;
const window = z.object({ started_ms: z.number() });
const rateKey = (keyId: string) => ({ pk: `${partitions.rate}${keyId}`, sk: "window" });

/**
 * Counts a request of a key that may make `rpm` in a minute. A minute begins with the first request after the last minute
 * ended, so that one item and mostly one write do. Throws `rate_limited`, saying when the minute ends.
 */
export async function countRequest(store: Table, keyId: string, rpm: number, nowMs: number): Promise<void> {
  for (;;) {
    const full = await addToWindow(store, keyId, rpm, nowMs);
    if (full === null) return;
    const endsMs = full.startedMs + windowMs;
    if (endsMs > nowMs) {
      const retryAfterSeconds = Math.ceil((endsMs - nowMs) / 1000);
      const message = `This key may make ${rpm} requests a minute. Try again in ${retryAfterSeconds} s.`;
      throw new AppError("rate_limited", message, { retryAfterSeconds });
    }
    if (await beginWindow(store, keyId, full.startedMs, nowMs)) return;
  }
}

/** null when the request fits in the current minute; else when that minute began, which may be long ago. */
function addToWindow(store: Table, keyId: string, rpm: number, nowMs: number) {
  return refusal(
    new UpdateCommand({
      TableName: store.tableName,
      Key: rateKey(keyId),
      UpdateExpression: "ADD requests :one",
      ConditionExpression: "started_ms > :ended AND requests < :rpm",
      ExpressionAttributeValues: { ":one": 1, ":ended": nowMs - windowMs, ":rpm": rpm },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    }),
    store,
  );
}

/** False when another request has begun the next minute already. */
async function beginWindow(store: Table, keyId: string, endedMs: number, nowMs: number): Promise<boolean> {
  const begun = await refusal(
    new UpdateCommand({
      TableName: store.tableName,
      Key: rateKey(keyId),
      UpdateExpression: "SET started_ms = :now, requests = :one, expires_at = :expires",
      ConditionExpression: "attribute_not_exists(pk) OR started_ms = :ended",
      ExpressionAttributeValues: {
        ":now": nowMs,
        ":one": 1,
        ":ended": endedMs,
        // DynamoDB's TTL, in epoch seconds: nothing needs the item once its minute is over.
        ":expires": Math.ceil((nowMs + windowMs) / 1000),
      },
    }),
    store,
  );
  return begun === null;
}

/** null when the update was made. */
async function refusal(update: UpdateCommand, { dynamodb }: Table): Promise<{ startedMs: number } | null> {
  try {
    await dynamodb.send(update);
    return null;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return { startedMs: error.Item ? window.parse(unmarshall(error.Item)).started_ms : 0 };
  }
}
