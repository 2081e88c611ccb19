import { hash } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import * as z from "zod";
import { partitions } from "../dynamodb/keys.ts";
import { unlessRefused } from "../dynamodb/transaction.ts";
import { AppError } from "../error.ts";
import { hashOf } from "./id.ts";
import { isExpired, newRevision, resultKey, revisionUnchanged, type StoredItem } from "./item.ts";
import type { StoredResult } from "./result.ts";
import { expiryOf } from "./settle.ts";
import { type ResultTable, readItem } from "./store.ts";

/**
 * What an object was analysed as: its place, its bytes and all that OpenAI is asked about them. Its bytes count by their SHA-256.
 * S3's ETag would not do: it is no hash of the bytes when an object came in parts or is encrypted with a KMS key.
 *
 * @param requestAbout the request to OpenAI about an image at this URL
 */
export function contentOf(
  { bucket, key }: { bucket: string; key: string },
  bytes: Uint8Array,
  requestAbout: (url: string) => unknown,
): string {
  return hashOf([bucket, key, requestAbout(`sha256:${hash("sha256", bytes)}`)]);
}

/** Which result this content led to. */
const contentKey = (content: string) => ({ pk: `${partitions.content}${content}`, sk: "content" });
const storedContent = z.object({ result_id: z.string() });

/** A result's time to live begins when it ends, so its content is remembered a day longer. */
const longerMs = 24 * 3600 * 1000;

/**
 * Makes `resultId` the result of this content, and returns null. Returns the content's earlier result instead, when OpenAI was paid for
 * it. Throws `in_progress` while an earlier result is being made. An earlier result that is gone or failed unpaid is replaced.
 */
export async function claimContent(
  store: ResultTable,
  content: string,
  resultId: string,
  now: Date,
): Promise<StoredItem | null> {
  for (let replaceable: string | null = null; ; ) {
    const holder = await putContent(store, content, { resultId, replaceable, now });
    if (holder === resultId) return null;
    const item = await readItem(store, holder);
    if (item?.result.status === "running") {
      throw new AppError("in_progress", "The same image under the same key is being analysed.", {
        retryAfterSeconds: 5,
      });
    }
    if (item && !isExpired(item, now) && item.result.usage !== null) return item;
    replaceable = holder;
  }
}

/** Returns the result that holds the content afterwards: `resultId`, or another one that is not `replaceable`. */
async function putContent(
  table: ResultTable,
  content: string,
  { resultId, replaceable, now }: { resultId: string; replaceable: string | null; now: Date },
): Promise<string> {
  const put = new PutCommand({
    TableName: table.tableName,
    Item: {
      ...contentKey(content),
      result_id: resultId,
      expires_at: expiryOf(table, new Date(now.getTime() + longerMs)),
    },
    ConditionExpression: "attribute_not_exists(pk) OR result_id = :own OR result_id = :replaceable",
    ExpressionAttributeValues: { ":own": resultId, ":replaceable": replaceable ?? resultId },
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  });
  try {
    await table.dynamodb.send(put);
    return resultId;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException) || !error.Item) throw error;
    return storedContent.parse(unmarshall(error.Item)).result_id;
  }
}

/** Forgets that a content led to this result, which is being deleted: the same image is analysed anew then. */
export async function forgetContent({ dynamodb, tableName }: ResultTable, { id, image }: StoredResult) {
  if (!image?.content) return;
  const remove = new DeleteCommand({
    TableName: tableName,
    Key: contentKey(image.content),
    ConditionExpression: "attribute_not_exists(pk) OR result_id = :id",
    ExpressionAttributeValues: { ":id": id },
  });
  await unlessRefused(dynamodb.send(remove));
}

/** Notes the new ETag of an object that was written again, so that deleting the result also deletes that object. */
export async function noteEtag({ dynamodb, tableName }: ResultTable, item: StoredItem, etag: string | undefined) {
  if (etag === undefined || item.result.image?.etag === etag) return;
  const update = new UpdateCommand({
    TableName: tableName,
    Key: resultKey(item.result.id),
    UpdateExpression: "SET #result.image.etag = :etag, revision = :revision",
    ConditionExpression: revisionUnchanged,
    ExpressionAttributeNames: { "#result": "result" },
    ExpressionAttributeValues: { ":etag": etag, ":revision": newRevision(), ":seen": item.revision },
  });
  // Refused when another event has noted a later ETag meanwhile, or the result was deleted.
  await unlessRefused(dynamodb.send(update));
}
