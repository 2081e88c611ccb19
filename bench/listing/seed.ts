import { BatchWriteCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { newResultId, newUlid } from "@tollgate/core/result/id";
import { newRevision, type StoredItem } from "@tollgate/core/result/item";
import { type ResultStore, toAttributes } from "@tollgate/core/result/store";
import { counterUpdate, entryOf, shardCount } from "@tollgate/core/usage/ledger";

export const models = ["gpt-4o-mini-2024-07-18", "gpt-4.1-2025-04-14", "gpt-5-mini-2025-08-07"];
export const dayMs = 24 * 3600 * 1000;
/** How many results share a rare status: of 100,000 there are 1,000 that failed and 10 that were filtered. */
const failedOnceIn = 100;
const filteredOnceIn = 10_000;
/** DynamoDB's limit for one BatchWriteItem. */
const batchSize = 25;
const writesAtOnce = 8;

const review =
  "The customer is happy with the product and with the support that came within the hour, and less so with the manual and the " +
  "evening that it took to set it up. Most of the text is about the setup; the tone is friendly throughout and the last " +
  "sentence recommends the product with a small reservation.";

/** The n-th of so many results of an owner, spread evenly over the time until `endMs`. Settled, as `settle` leaves an item. */
function itemOf(owner: string, n: number, count: number, endMs: number, spanMs: number): StoredItem {
  const createdMs = endMs - spanMs + Math.floor(((n + 0.5) * spanMs) / count);
  const completedAt = new Date(createdMs + 1_200).toISOString();
  const model = models[n % models.length] ?? "";
  const status = n % filteredOnceIn === 5_000 ? "filtered" : n % failedOnceIn === 50 ? "failed" : "succeeded";
  const failed = status === "failed";
  const usage = {
    ...{ promptTokens: 240, completionTokens: 80, totalTokens: 320 },
    ...{ cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
  };
  const id = newResultId();
  const result: StoredItem["result"] = {
    id,
    kind: n % 10 < 3 ? "vision" : "chat",
    source: "http",
    status,
    owner,
    model,
    schema: null,
    structured: false,
    usage: failed ? null : usage,
    costNanoUsd: failed ? null : 84_000,
    openai: { id: `chatcmpl-${id}`, requestId: `req_${id}`, attempts: 1, serviceTier: "default" },
    image: null,
    error: failed ? { code: "upstream_error", message: "OpenAI had an error.", param: null } : null,
    metadata: {},
    createdAt: new Date(createdMs).toISOString(),
    completedAt,
    latencyMs: 1_200,
  };
  const choices = [{ index: 0, message: { role: "assistant", content: review }, finish_reason: "stop" }];
  return {
    result,
    revision: newRevision(),
    lease_id: newUlid(),
    lease_expires_at: createdMs + 30_000,
    request_hash: null,
    pending_unaccounted: 0,
    ledger: [entryOf(completedAt.slice(0, 10), { result, unaccounted: 0 })],
    ...(!failed && { answer: JSON.stringify({ id: `chatcmpl-${id}`, object: "chat.completion", model, choices }) }),
  };
}

interface Seeding {
  owner: string;
  endMs: number;
  onProgress?: (done: number) => void;
}

/** Writes results over a year of time. */
export async function seedResults(store: ResultStore, count: number, { owner, endMs, onProgress }: Seeding) {
  const batches = Math.ceil(count / batchSize);
  await side(batches, async (batch) => {
    const size = Math.min(batchSize, count - batch * batchSize);
    const items = Array.from({ length: size }, (_, i) =>
      itemOf(owner, batch * batchSize + i, count, endMs, 365 * dayMs),
    );
    const Item = (item: StoredItem) => toAttributes(item);
    const requests = items.map((item) => ({ PutRequest: { Item: Item(item) } }));
    const { UnprocessedItems } = await store.dynamodb.send(
      new BatchWriteCommand({ RequestItems: { [store.tableName]: requests } }),
    );
    if (Object.keys(UnprocessedItems ?? {}).length > 0) throw new Error("DynamoDB has left some of a batch unwritten.");
    onProgress?.((batch + 1) * batchSize);
  });
}

/** Writes the counters of so many days until `endMs`: of every model, in every shard. */
export async function seedUsage(store: ResultStore, days: number, { owner, endMs, onProgress }: Seeding) {
  const counts = {
    ...{ requests: 12, prompt_tokens: 2_880, completion_tokens: 960, total_tokens: 3_840 },
    cost_nano_usd: 1_008_000,
  };
  const perDay = models.length * shardCount;
  await side(days * perDay, async (n) => {
    const day = new Date(endMs - Math.floor(n / perDay) * dayMs).toISOString().slice(0, 10);
    const model = models[n % models.length] ?? "";
    const shard = Math.floor(n / models.length) % shardCount;
    await store.dynamodb.send(new UpdateCommand(counterUpdate(store.tableName, owner, { day, model, counts }, shard)));
    onProgress?.(n + 1);
  });
}

/** Does it for each number below `count`, a few at a time. */
async function side(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < count; n = next++) await work(n);
  };
  await Promise.all(Array.from({ length: writesAtOnce }, worker));
}
