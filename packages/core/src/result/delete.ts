import { transact } from "../dynamodb/transaction.ts";
import type { ImageStore } from "../s3/image-store.ts";
import { forgetContent } from "./content.ts";
import { receiptKey, resultKey, revisionUnchanged, type StoredItem } from "./item.ts";
import type { ResultStore } from "./store.ts";

/**
 * Removes a result in its final state, its stored answer, and the image that was uploaded for it. What it put on the counters was
 * billed and stays there; a receipt, without any content, keeps the ledger checkable. Returns false when the result has changed
 * since it was read.
 */
export async function deleteResult(
  store: ResultStore,
  images: Pick<ImageStore, "remove">,
  item: StoredItem,
  now: Date,
): Promise<boolean> {
  const { result, lease_id, ledger, revision } = item;
  // S3 first: while the result is there, a deletion that broke off can be asked for again.
  if (result.source === "s3" && result.image?.key) await images.remove(result.image.key, { etag: result.image.etag });
  if (item.answer_key) await store.answers.remove(item.answer_key);
  await forgetContent(store, result);
  const remove = {
    TableName: store.tableName,
    Key: resultKey(result.id),
    ConditionExpression: revisionUnchanged,
    ExpressionAttributeValues: { ":seen": revision },
  };
  const receipt = {
    ...receiptKey(result.id, lease_id),
    owner: result.owner,
    ledger,
    openai_id: result.openai?.id ?? null,
    deleted_at: now.toISOString(),
  };
  const keep = ledger.length > 0 ? [{ Put: { TableName: store.tableName, Item: receipt } }] : [];
  const refusal = await transact(store.dynamodb, () => [{ Delete: remove }, ...keep]);
  return refusal === null;
}
