import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { chargeUpdate } from "../budget/budget.ts";
import type { AppError } from "../error.ts";
import { counterUpdate, shardCount } from "../usage/ledger.ts";
import { answerKey, maxInlineAnswerBytes } from "./answer-key.ts";
import { type Lease, leaseMs } from "./claim.ts";
import { noLease, parseItem, resultKey } from "./item.ts";
import type { Result } from "./result.ts";
import type { ResultStore } from "./store.ts";
import { retryConflicts, transact } from "./transaction.ts";

/** What came of an attempt. */
export interface Settlement {
  result: Result;
  /** Calls of this attempt that OpenAI may have billed although no usage reached us. */
  maybeBilled: number;
  completedAt: Date;
}

/** This attempt, and no other, may write. `#status` is `status`. */
export const held = "lease_id = :lease AND #status = :running";
export const heldValues = ({ leaseId }: Lease) => ({ ":lease": leaseId, ":running": "running" });

/**
 * Ends an attempt: the result takes its final state, on condition that this lease still holds it, and its usage is added
 * to the owner's counters and takes the place of its reservation, in one transaction. Returns false when the lease was
 * lost: the attempt that took over has counted this one as unaccounted, and what it stored stands.
 */
export async function settle(store: ResultStore, lease: Lease, settlement: Settlement): Promise<boolean> {
  const { answer, ...result } = settlement.result;
  const large = answer !== null && Buffer.byteLength(answer) > maxInlineAnswerBytes;
  const key = large ? answerKey(result.owner, result.id, lease.leaseId) : null;
  if (answer !== null && key) await store.answers.put(key, answer);
  const { upload: _, ...stored } = result;
  const setAnswer = key ? ", answer_key = :key" : answer !== null ? ", answer = :answer" : "";
  const update = {
    TableName: store.tableName,
    Key: resultKey(result.id),
    UpdateExpression: `SET #result = :result, #status = :status, pending_unaccounted = :none${setAnswer} REMOVE reservation`,
    ConditionExpression: held,
    ExpressionAttributeNames: { "#result": "result", "#status": "status" },
    ExpressionAttributeValues: {
      ...heldValues(lease),
      ":result": stored,
      ":status": result.status,
      ":none": 0,
      ...(key && { ":key": key }),
      ...(answer !== null && !key && { ":answer": answer }),
    },
    ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
  };
  const charge = chargeOf(store, lease, spentBy(lease, settlement));
  const firstShard = Math.floor(Math.random() * shardCount);
  const refusal = await transact(store.dynamodb, (tries) => {
    const counter = counterUpdate(store.tableName, {
      result: stored,
      unaccounted: lease.pendingUnaccounted + settlement.maybeBilled,
      day: settlement.completedAt.toISOString().slice(0, 10),
      shard: (firstShard + tries) % shardCount,
    });
    return [{ Update: update }, { Update: counter }, ...charge];
  });
  return refusal === null || isOurs(refusal.item, lease);
}

/**
 * What an attempt takes out of its budget, in nano-dollars: its cost, or all that was reserved when OpenAI did not tell
 * what to bill or nobody knows its price; and as much again for each call that may have been billed unseen. Breaking off
 * is no way around a budget.
 */
function spentBy({ reservation }: Lease, { result, maybeBilled }: Settlement): number {
  const reserved = reservation?.nano_usd ?? 0;
  const cost = result.usageEstimated ? null : result.costNanoUsd;
  const billed = result.usage ? (cost ?? reserved) : 0;
  return billed + maybeBilled * reserved;
}

/** The part of a transaction that ends a reservation; none without one. */
const chargeOf = (store: ResultStore, { reservation }: Lease, spentNanoUsd: number) =>
  reservation ? [{ Update: chargeUpdate(store.tableName, reservation, spentNanoUsd) }] : [];

/** Whether the state that refused us is our own settlement, whose answer was lost on its way back. */
function isOurs(item: Record<string, unknown> | null, lease: Lease): boolean {
  if (!item) return false;
  const stored = parseItem(item);
  return stored.lease_id === lease.leaseId && stored.result.status !== "running";
}

/** Tells that the attempt lives. A lease that was lost stays lost. */
export async function renew(store: ResultStore, lease: Lease, nowMs: number): Promise<void> {
  const update = new UpdateCommand({
    TableName: store.tableName,
    Key: resultKey(lease.result.id),
    UpdateExpression: "SET lease_expires_at = :expires",
    ConditionExpression: held,
    ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: { ...heldValues(lease), ":expires": nowMs + leaseMs },
  });
  try {
    await retryConflicts(() => store.dynamodb.send(update));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

/**
 * Gives a result back after a passing failure, so that the next attempt need not wait for the lease to expire. A lease that
 * was lost has nothing left to give back.
 */
export async function release(store: ResultStore, lease: Lease, error: AppError, maybeBilled: number): Promise<void> {
  const update = {
    TableName: store.tableName,
    Key: resultKey(lease.result.id),
    UpdateExpression:
      "SET lease_id = :none, lease_expires_at = :zero, pending_unaccounted = pending_unaccounted + :maybe, #result.#error = :error REMOVE reservation",
    ConditionExpression: held,
    ExpressionAttributeNames: { "#result": "result", "#status": "status", "#error": "error" },
    ExpressionAttributeValues: {
      ...heldValues(lease),
      ":none": noLease,
      ":zero": 0,
      ":maybe": maybeBilled,
      ":error": { code: error.code, message: error.message, param: error.param },
    },
  };
  const charge = chargeOf(store, lease, maybeBilled * (lease.reservation?.nano_usd ?? 0));
  await transact(store.dynamodb, () => [{ Update: update }, ...charge]);
}

/** Forgets a claim whose request OpenAI refused as invalid: nothing was billed, and nothing is kept. */
export async function discard(store: ResultStore, lease: Lease): Promise<void> {
  const remove = {
    TableName: store.tableName,
    Key: resultKey(lease.result.id),
    ConditionExpression: held,
    ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: heldValues(lease),
  };
  await transact(store.dynamodb, () => [{ Delete: remove }, ...chargeOf(store, lease, 0)]);
}
