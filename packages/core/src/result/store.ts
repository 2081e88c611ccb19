import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { ownerIndex } from "../dynamodb/keys.ts";
import type { TextStore } from "../s3/text-store.ts";
import { isExpired, ownerKey, parseItem, resultKey, type StoredItem } from "./item.ts";
import type { Observe } from "./observe.ts";
import { maxPageBytes, maxScannedPerPage } from "./page.ts";
import type { Result } from "./result.ts";

export interface ResultTable {
  dynamodb: DynamoDBDocumentClient;
  tableName: string;
  /** How long a result is kept once it has ended; for ever when left out. Its counters and receipts stay. */
  resultTtlDays?: number | undefined;
  observe?: Observe | undefined;
}

export interface ResultStore extends ResultTable {
  answers: TextStore;
}

export interface ListOptions {
  owner: string;
  kind?: string | undefined;
  status?: string | undefined;
  /** ISO times to the millisecond, both inclusive. */
  from?: string | undefined;
  to?: string | undefined;
  limit: number;
  now: Date;
  /** The result after which the page begins. */
  after?: Pick<Result, "createdAt" | "id"> | undefined;
}

/** The result as it is stored, or null. Strongly consistent: an id that was handed out is found. */
export async function readResult(store: ResultStore, id: string): Promise<Result | null> {
  const item = await readItem(store, id);
  return item && toResult(store, item);
}

export async function readItem(store: ResultTable, id: string): Promise<StoredItem | null> {
  const { Item } = await store.dynamodb.send(
    new GetCommand({ TableName: store.tableName, Key: resultKey(id), ConsistentRead: true }),
  );
  return Item ? parseItem(Item) : null;
}

export async function toResult(store: ResultStore, item: StoredItem): Promise<Result> {
  const answer = item.answer ?? (item.answer_key ? await store.answers.get(item.answer_key) : null);
  return { ...item.result, answer };
}

/**
 * One page of an owner's results, newest first. `next` is where the following page begins; with a filter, or where results
 * have expired or are large, a page may be shorter than `limit`, or empty, and still have a next one.
 */
export async function listResults(store: ResultStore, options: ListOptions) {
  const { limit, owner } = options;
  const found: IndexEntry[] = [];
  let start = options.after && { ...ownerKey({ ...options.after, owner }), ...resultKey(options.after.id) };
  for (let scanned = 0; ; ) {
    const left = maxScannedPerPage - scanned;
    // Without a filter every entry read is one returned. With one, each turn reads as much as all before it, so that a page takes
    // few of them, however small it is.
    const size = isFiltered(options) ? Math.min(left, Math.max(limit * 4, scanned)) : limit;
    const page = await store.dynamodb.send(queryPage(store.tableName, options, start, size));
    found.push(...((page.Items ?? []) as IndexEntry[]));
    scanned += page.ScannedCount ?? 0;
    start = page.LastEvaluatedKey as IndexEntry | undefined;
    if (!start || found.length >= limit || scanned >= maxScannedPerPage) break;
  }
  const shown = found.slice(0, limit);
  const items = await readItems(store, shown, options.now);
  const results = await withAnswers(store, items);
  if (results.length < items.length) return { results, next: results.at(-1) ?? null };
  // What a filtered query read beyond the page is read again by the next one.
  const last = found.length > limit ? shown.at(-1) : start;
  return { results, next: last ? positionOf(last) : null };
}

interface IndexEntry {
  pk: string;
  sk: string;
  owner_pk: string;
  owner_sk: string;
}

const isFiltered = ({ kind, status }: ListOptions): boolean => kind !== undefined || status !== undefined;

function queryPage(tableName: string, options: ListOptions, after: Record<string, string> | undefined, limit: number) {
  const filters = [options.kind && "#kind = :kind", options.status && "#status = :status"].filter(Boolean);
  return new QueryCommand({
    TableName: tableName,
    IndexName: ownerIndex,
    KeyConditionExpression: "owner_pk = :owner AND owner_sk BETWEEN :from AND :to",
    FilterExpression: filters.length > 0 ? filters.join(" AND ") : undefined,
    ExpressionAttributeNames:
      filters.length > 0
        ? { ...(options.kind && { "#kind": "kind" }), ...(options.status && { "#status": "status" }) }
        : undefined,
    ExpressionAttributeValues: {
      ":owner": `results#${options.owner}`,
      ":from": options.from ?? "0",
      // "~" sorts after every character of a time and an id, so that a day includes its last moment. From a position on, the
      // range ends there: DynamoDB would find it anyway, but DynamoDB Local reads all that lies before it.
      ":to": after?.owner_sk ?? `${options.to ?? ""}~`,
      ...(options.kind && { ":kind": options.kind }),
      ...(options.status && { ":status": options.status }),
    },
    ExclusiveStartKey: after,
    ScanIndexForward: false,
    Limit: limit,
  });
}

function positionOf({ owner_sk }: IndexEntry): Pick<Result, "createdAt" | "id"> {
  const [createdAt = "", id = ""] = owner_sk.split("#");
  return { createdAt, id };
}

/** DynamoDB's limit for one BatchGetItem. */
const batchGetSize = 100;

async function readItems(store: ResultTable, entries: IndexEntry[], now: Date): Promise<StoredItem[]> {
  const items = new Map<string, StoredItem>();
  for (let start = 0; start < entries.length; start += batchGetSize) {
    let keys = entries.slice(start, start + batchGetSize).map(({ pk, sk }) => ({ pk, sk }));
    while (keys.length > 0) {
      const { Responses, UnprocessedKeys } = await store.dynamodb.send(
        new BatchGetCommand({ RequestItems: { [store.tableName]: { Keys: keys } } }),
      );
      for (const raw of Responses?.[store.tableName] ?? []) items.set(String(raw.pk), parseItem(raw));
      keys = (UnprocessedKeys?.[store.tableName]?.Keys ?? []) as typeof keys;
    }
  }
  // A result that was deleted since the index was read is left out, and so is one that should be.
  return entries.flatMap(({ pk }) => items.get(pk) ?? []).filter((item) => !isExpired(item, now));
}

/** Those that a page has room for, and one at least. One by one, so that no more is in memory than that. */
async function withAnswers(store: ResultStore, items: StoredItem[]): Promise<Result[]> {
  const results: Result[] = [];
  let answerBytes = 0;
  for (const item of items) {
    if (answerBytes >= maxPageBytes) break;
    const result = await toResult(store, item);
    answerBytes += Buffer.byteLength(result.answer ?? "");
    results.push(result);
  }
  return results;
}

/** Stores a result that no attempt holds yet, such as one that awaits its upload. */
export async function putResult(store: ResultTable, item: StoredItem, ttlEpochSeconds: number): Promise<void> {
  await store.dynamodb.send(
    new PutCommand({
      TableName: store.tableName,
      Item: toAttributes(item, { expires_at: ttlEpochSeconds }),
      ConditionExpression: "attribute_not_exists(pk)",
    }),
  );
}

export const toAttributes = (item: StoredItem, extra: Record<string, unknown> = {}) => ({
  ...resultKey(item.result.id),
  ...ownerKey(item.result),
  kind: item.result.kind,
  status: item.result.status,
  ...item,
  ...extra,
});
