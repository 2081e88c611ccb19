import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { chargeUpdate } from "../budget/budget.ts";
import { type Refusal, retryConflicts, type TransactItems, transact, unlessRefused } from "../dynamodb/transaction.ts";
import type { AppError } from "../error.ts";
import { counterUpdate, entryOf, type LedgerEntry, minus, shardCount, sumOf } from "../usage/ledger.ts";
import { answerKey, isLarge } from "./answer-key.ts";
import { type Lease, leaseMs } from "./claim.ts";
import { epochSeconds, newRevision, noLease, parseItem, resultKey, revisionUnchanged, waitingTtlMs } from "./item.ts";
import { type Result, storedErrorOf } from "./result.ts";
import type { ResultStore, ResultTable } from "./store.ts";

/** What came of an attempt. */
export interface Settlement {
  result: Result;
  /** Calls of this attempt that OpenAI may have billed although no usage reached us. */
  possiblyBilledAttempts: number;
  completedAt: Date;
}

/** This attempt, and no other, may write. `#status` is `status`. */
export const ownsLease = "lease_id = :lease AND #status = :running";
export const heldValues = ({ leaseId }: Pick<Lease, "leaseId">) => ({ ":lease": leaseId, ":running": "running" });

/**
 * Ends an attempt: the result takes its final state, on condition that this lease still holds it, and its usage is added
 * to the owner's counters and takes the place of its reservation, in one transaction. An attempt that the sweep took for
 * dead settles all the same, and takes off what the sweep had counted. Returns false when the lease was lost: the attempt
 * that took over has counted this one as unaccounted, and what it stored stands.
 */
export async function settle(store: ResultStore, lease: Lease, settlement: Settlement): Promise<boolean> {
  const { answer, ...result } = settlement.result;
  const key = answer !== null && isLarge(answer, result) ? answerKey(result.owner, result.id, lease.leaseId) : null;
  if (answer !== null && key) await store.answers.put(key, answer);
  const kept = answer === null ? null : key ? { name: "answer_key", value: key } : { name: "answer", value: answer };
  const unaccounted = lease.pendingUnaccounted + settlement.possiblyBilledAttempts;
  const entry = entryOf(dayOf(settlement.completedAt), { result, unaccounted });
  for (let swept: Swept | null = null; ; ) {
    const added: LedgerEntry[] = swept ? sumOf([entry, minus(swept.entry)]) : [entry];
    const refusal = await end(store, lease, writesOf(store, settlement, kept, added, swept));
    if (refusal === null) {
      store.observe?.counted(result, added);
      return true;
    }
    const now = refusal.item && parseItem(refusal.item);
    if (now?.lease_id !== lease.leaseId || now.result.status === "running") return false;
    // Our own settlement, whose answer was lost on its way back.
    if (!now.swept) return true;
    swept = { entry: now.swept, ledger: now.ledger, revision: now.revision };
  }
}

/** What the sweep has put on the counters for this attempt, and the whole of the result's ledger since. */
interface Swept {
  entry: LedgerEntry;
  ledger: LedgerEntry[];
  revision: string;
}

type Writes = (lease: Lease, tries: number) => TransactItems;

const writesOf =
  (
    store: ResultStore,
    settlement: Settlement,
    kept: { name: string; value: string } | null,
    added: LedgerEntry[],
    swept: Swept | null,
  ): Writes =>
  (lease, tries) => {
    const { answer: _, ...result } = settlement.result;
    const update = {
      TableName: store.tableName,
      Key: resultKey(result.id),
      UpdateExpression: `SET #result = :result, #status = :status, revision = :revision, pending_unaccounted = :none, ledger = :ledger, expires_at = :expires${kept ? `, ${kept.name} = :kept` : ""} REMOVE reservation, lease_pk, swept`,
      ConditionExpression: swept ? revisionUnchanged : heldBy(lease),
      ExpressionAttributeNames: { "#result": "result", "#status": "status" },
      ExpressionAttributeValues: {
        ...(swept ? { ":seen": swept.revision } : heldValues(lease)),
        ":result": result,
        ":status": result.status,
        ":revision": newRevision(),
        ":none": 0,
        ":ledger": sumOf([...(swept?.ledger ?? lease.ledger), ...added]),
        ":expires": expiryOf(store, settlement.completedAt),
        ...(kept && { ":kept": kept.value }),
      },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
    };
    const charge = chargeOf(store, lease, spentBy(lease, settlement), swept !== null);
    return [{ Update: update }, ...countersOf(store, result.owner, added, tries), ...charge];
  };

/** As `ownsLease`, by a lease that has or has not reserved anything. */
const heldBy = ({ reservation }: Lease): string =>
  reservation ? ownsLease : `${ownsLease} AND attribute_not_exists(reservation)`;

/**
 * Writes what ends an attempt. A reservation that was made although its answer never came is found in the refusal, and
 * ended with the attempt.
 */
async function end({ dynamodb }: ResultStore, lease: Lease, writes: Writes): Promise<Refusal | null> {
  const refusal = await transact(dynamodb, (tries) => writes(lease, tries));
  const now = refusal?.item && parseItem(refusal.item);
  const isOurs = now?.lease_id === lease.leaseId && now.result.status === "running";
  if (!isOurs || lease.reservation || !now.reservation) return refusal;
  const reserved = { ...lease, reservation: now.reservation };
  return transact(dynamodb, (tries) => writes(reserved, tries));
}

/** When a result that ended then is deleted, in epoch seconds; null for never. */
export const expiryOf = ({ resultTtlDays }: ResultTable, ended: Date): number | null =>
  resultTtlDays === undefined ? null : epochSeconds(ended) + resultTtlDays * 24 * 3600;

export const dayOf = (when: Date): string => when.toISOString().slice(0, 10);

/** The part of a transaction that puts entries on the counters. Each try moves on to another shard. */
export function countersOf({ tableName }: ResultTable, owner: string, entries: LedgerEntry[], tries: number) {
  const shard = tries === 0 ? Math.floor(Math.random() * shardCount) : tries % shardCount;
  return entries.map((entry) => ({ Update: counterUpdate(tableName, owner, entry, shard) }));
}

/**
 * What an attempt takes out of its budget, in nano-dollars: its cost, or all that was reserved when OpenAI did not tell
 * what to bill or nobody knows its price; and as much again for each call that may have been billed unseen. Breaking off
 * is no way around a budget.
 */
function spentBy({ reservation }: Lease, { result, possiblyBilledAttempts }: Settlement): number {
  const reserved = reservation?.nano_usd ?? 0;
  const cost = result.usageEstimated ? null : result.costNanoUsd;
  const billed = result.usage ? (cost ?? reserved) : 0;
  return billed + possiblyBilledAttempts * reserved;
}

/** The part of a transaction that ends a reservation; none without one. The sweep has charged a dead attempt's whole. */
function chargeOf(store: ResultStore, { reservation }: Lease, spentNanoUsd: number, isCharged = false) {
  if (!reservation) return [];
  const charge = isCharged
    ? chargeUpdate(store.tableName, { ...reservation, nano_usd: 0 }, spentNanoUsd - reservation.nano_usd)
    : chargeUpdate(store.tableName, reservation, spentNanoUsd);
  return [{ Update: charge }];
}

/** Tells that the attempt lives. A lease that was lost stays lost. */
export async function renew(store: ResultStore, lease: Lease, nowMs: number): Promise<void> {
  const update = new UpdateCommand({
    TableName: store.tableName,
    Key: resultKey(lease.result.id),
    UpdateExpression: "SET lease_expires_at = :expires, revision = :revision",
    ConditionExpression: ownsLease,
    ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: { ...heldValues(lease), ":expires": nowMs + leaseMs, ":revision": newRevision() },
  });
  await unlessRefused(retryConflicts(() => store.dynamodb.send(update)));
}

/**
 * Gives a result back after a passing failure, so that the next attempt need not wait for the lease to expire. It waits for one
 * as long as any result may, then the sweep ends it. A lease that was lost has nothing left to give back.
 */
export async function release(
  store: ResultStore,
  lease: Lease,
  error: AppError,
  possiblyBilledAttempts: number,
): Promise<void> {
  await end(store, lease, (lease) => {
    const update = {
      TableName: store.tableName,
      Key: resultKey(lease.result.id),
      UpdateExpression:
        "SET revision = :revision, lease_id = :none, lease_expires_at = lease_expires_at + :waits, pending_unaccounted = pending_unaccounted + :maybe, #result.#error = :error REMOVE reservation",
      ConditionExpression: heldBy(lease),
      ExpressionAttributeNames: { "#result": "result", "#status": "status", "#error": "error" },
      ExpressionAttributeValues: {
        ...heldValues(lease),
        ":revision": newRevision(),
        ":none": noLease,
        ":waits": waitingTtlMs,
        ":maybe": possiblyBilledAttempts,
        ":error": storedErrorOf(error),
      },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
    };
    return [{ Update: update }, ...chargeOf(store, lease, possiblyBilledAttempts * (lease.reservation?.nano_usd ?? 0))];
  });
}

/**
 * Forgets a claim of which nothing is to be kept, such as one whose request OpenAI refused as invalid. Returns false when it stays:
 * the lease was lost, or something may have been billed.
 */
export async function discard(store: ResultStore, lease: Lease): Promise<boolean> {
  const refusal = await end(store, lease, (lease) => {
    const remove = {
      TableName: store.tableName,
      Key: resultKey(lease.result.id),
      ConditionExpression: `${heldBy(lease)} AND pending_unaccounted = :zero`,
      ExpressionAttributeNames: { "#status": "status" },
      ExpressionAttributeValues: { ...heldValues(lease), ":zero": 0 },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
    };
    return [{ Delete: remove }, ...chargeOf(store, lease, 0)];
  });
  return refusal === null;
}
