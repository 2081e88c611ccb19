import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { chargeWhole } from "../budget/budget.ts";
import { leaseIndex } from "../dynamodb/keys.ts";
import { transact } from "../dynamodb/transaction.ts";
import { AppError } from "../error.ts";
import { entryOf, sumOf } from "../usage/ledger.ts";
import { leaseShardKeys, newRevision, noLease, resultKey, revisionUnchanged, type StoredItem } from "./item.ts";
import { storedErrorOf } from "./result.ts";
import { countersOf, dayOf, expiryOf } from "./settle.ts";
import { type ResultTable, readItem } from "./store.ts";

export interface SweepDeps {
  store: ResultTable;
  now: () => Date;
  /**
   * How long after its lease ended an attempt is given up: of a request that came over HTTP, which only its client could
   * bring back, and of one that came from a queue, which brings it back itself.
   */
  graceMs: { http: number; queue: number };
}

/** How long after its lease ended an attempt at this result is given up. */
export const graceMsOf = ({ result }: StoredItem, graceMs: SweepDeps["graceMs"]): number =>
  result.source === "s3" || result.deferred ? graceMs.queue : graceMs.http;

/**
 * Ends the results whose attempt died and that nobody has asked for again: `failed`, with the attempt counted as unaccounted
 * and its reservation as spent. Those that were given back, too, once no queue brings them any more. The lease stays the dead
 * attempt's, so that an answer of its own that waits in a queue to be settled still can be. Returns the ids of those it ended;
 * throws, at the end, when there were some that it could not.
 */
export async function sweep({ store, now, graceMs }: SweepDeps): Promise<string[]> {
  const shards = await Promise.all(
    leaseShardKeys.map((shard) => overdue(store, shard, now().getTime() - graceMs.http)),
  );
  const swept: string[] = [];
  const failures: unknown[] = [];
  for (const id of shards.flat()) {
    try {
      const item = await readItem(store, id);
      if (item && isDead(item, now(), graceMs) && (await expireAbandoned(store, item, now()))) swept.push(id);
    } catch (error) {
      // One that can never be ended must not keep the others from it.
      store.observe?.notSwept(id, error);
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `Results that could not be ended: ${failures.length}.`);
  return swept;
}

const isDead = (item: StoredItem, now: Date, graceMs: SweepDeps["graceMs"]): boolean =>
  item.result.status === "running" && item.lease_expires_at + graceMsOf(item, graceMs) < now.getTime();

async function overdue(store: ResultTable, shard: string, beforeMs: number): Promise<string[]> {
  const ids: string[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const page = await store.dynamodb.send(
      new QueryCommand({
        TableName: store.tableName,
        IndexName: leaseIndex,
        KeyConditionExpression: "lease_pk = :shard AND lease_expires_at < :before",
        ExpressionAttributeValues: { ":shard": shard, ":before": beforeMs },
        ExclusiveStartKey: start,
      }),
    );
    ids.push(...(page.Items ?? []).map(({ pk }) => String(pk).slice(resultKey("").pk.length)));
    start = page.LastEvaluatedKey;
  } while (start);
  return ids;
}

/** False when the attempt turned out to live, or another was faster. */
async function expireAbandoned(store: ResultTable, item: StoredItem, now: Date): Promise<boolean> {
  const error = new AppError("internal", "The work broke off before it was done. Ask again.");
  const result = {
    ...item.result,
    status: "failed" as const,
    error: storedErrorOf(error),
    completedAt: now.toISOString(),
  };
  const died = item.lease_id === noLease ? 0 : 1;
  const entry = entryOf(dayOf(now), { result, unaccounted: item.pending_unaccounted + died });
  const update = {
    TableName: store.tableName,
    Key: resultKey(result.id),
    UpdateExpression:
      "SET #result = :result, #status = :status, revision = :revision, pending_unaccounted = :none, ledger = :ledger, swept = :swept, expires_at = :expires REMOVE reservation, lease_pk",
    ConditionExpression: revisionUnchanged,
    ExpressionAttributeNames: { "#result": "result", "#status": "status" },
    ExpressionAttributeValues: {
      ":result": result,
      ":status": result.status,
      ":none": 0,
      ":ledger": sumOf([...item.ledger, entry]),
      ":swept": entry,
      ":revision": newRevision(),
      ":expires": expiryOf(store, now),
      ":seen": item.revision,
    },
  };
  const lost = item.reservation;
  const charge = lost ? [{ Update: chargeWhole(store.tableName, lost) }] : [];
  const refusal = await transact(store.dynamodb, (tries) => [
    { Update: update },
    ...countersOf(store, result.owner, [entry], tries),
    ...charge,
  ]);
  if (refusal === null) store.observe?.counted(result, [entry]);
  return refusal === null;
}
