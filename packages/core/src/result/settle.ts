import { ConditionalCheckFailedException, TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, TransactWriteCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { AppError } from "../error.ts";
import { counterUpdate, shardCount } from "../usage/ledger.ts";
import { answerKey, maxInlineAnswerBytes } from "./answer-key.ts";
import { type Lease, leaseMs } from "./claim.ts";
import { noLease, parseItem, resultKey } from "./item.ts";
import type { Result } from "./result.ts";
import type { ResultStore } from "./store.ts";

/** What came of an attempt. */
export interface Settlement {
  result: Result;
  /** Calls of this attempt that OpenAI may have billed although no usage reached us. */
  maybeBilled: number;
  completedAt: Date;
}

const maxTransactionTries = 8;
/** This attempt, and no other, may write. */
const held = "lease_id = :lease AND #status = :running";

/**
 * Ends an attempt: the result takes its final state, on condition that this lease still holds it, and its usage is added
 * to the owner's counters, in one transaction. Returns false when the lease was lost: the attempt that took over has
 * counted this one as unaccounted, and what it stored stands.
 */
export async function settle(store: ResultStore, lease: Lease, settlement: Settlement): Promise<boolean> {
  const { answer, ...result } = settlement.result;
  const large = answer !== null && Buffer.byteLength(answer) > maxInlineAnswerBytes;
  const key = large ? answerKey(result.owner, result.id, lease.leaseId) : null;
  if (answer !== null && key) await store.answers.put(key, answer);
  const { upload: _, ...stored } = result;
  const values: Record<string, unknown> = {
    ":result": stored,
    ":status": result.status,
    ":lease": lease.leaseId,
    ":running": "running",
    ":none": 0,
    ...(key && { ":key": key }),
    ...(answer !== null && !key && { ":answer": answer }),
  };
  const setAnswer = key ? ", answer_key = :key" : answer !== null ? ", answer = :answer" : "";
  const update = {
    TableName: store.tableName,
    Key: resultKey(result.id),
    UpdateExpression: `SET #result = :result, #status = :status, pending_unaccounted = :none${setAnswer}`,
    ConditionExpression: held,
    ExpressionAttributeNames: { "#result": "result", "#status": "status" },
    ExpressionAttributeValues: values,
    ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
  };
  const unaccounted = lease.pendingUnaccounted + settlement.maybeBilled;
  const firstShard = Math.floor(Math.random() * shardCount);
  for (let tries = 0; ; tries++) {
    const counter = counterUpdate(store.tableName, {
      result: stored,
      unaccounted,
      day: settlement.completedAt.toISOString().slice(0, 10),
      shard: (firstShard + tries) % shardCount,
    });
    try {
      await store.dynamodb.send(new TransactWriteCommand({ TransactItems: [{ Update: update }, { Update: counter }] }));
      return true;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const [onResult] = error.CancellationReasons ?? [];
      if (onResult?.Code === "ConditionalCheckFailed") return isOurs(onResult.Item, lease);
      const passing = error.CancellationReasons?.every(({ Code }) => Code === "None" || passingReasons.has(Code ?? ""));
      if (!passing || tries + 1 >= maxTransactionTries) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2 ** tries * (10 + Math.random() * 10)));
    }
  }
}

const passingReasons = new Set(["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]);

/** Whether the state that refused us is our own settlement, whose answer was lost on its way back. */
function isOurs(item: NonNullable<TransactionCanceledException["CancellationReasons"]>[number]["Item"], lease: Lease) {
  if (!item) return false;
  const stored = parseItem(unmarshall(item));
  return stored.lease_id === lease.leaseId && stored.result.status !== "running";
}

/** Tells that the attempt lives. A lease that was lost stays lost. */
export async function renew(store: ResultStore, lease: Lease, nowMs: number): Promise<void> {
  await whileHeld(
    store.dynamodb.send(
      new UpdateCommand({
        TableName: store.tableName,
        Key: resultKey(lease.result.id),
        UpdateExpression: "SET lease_expires_at = :expires",
        ConditionExpression: held,
        ExpressionAttributeNames: { "#status": "status" },
        ExpressionAttributeValues: { ":expires": nowMs + leaseMs, ":lease": lease.leaseId, ":running": "running" },
      }),
    ),
  );
}

/** Gives a result back after a passing failure, so that the next attempt need not wait for the lease to expire. */
export async function release(store: ResultStore, lease: Lease, error: AppError, maybeBilled: number): Promise<void> {
  await whileHeld(
    store.dynamodb.send(
      new UpdateCommand({
        TableName: store.tableName,
        Key: resultKey(lease.result.id),
        UpdateExpression:
          "SET lease_id = :none, lease_expires_at = :zero, pending_unaccounted = pending_unaccounted + :maybe, #result.#error = :error",
        ConditionExpression: held,
        ExpressionAttributeNames: { "#result": "result", "#status": "status", "#error": "error" },
        ExpressionAttributeValues: {
          ":none": noLease,
          ":zero": 0,
          ":maybe": maybeBilled,
          ":error": { code: error.code, message: error.message, param: error.param },
          ":lease": lease.leaseId,
          ":running": "running",
        },
      }),
    ),
  );
}

/** Forgets a claim whose request OpenAI refused as invalid: nothing was billed, and nothing is kept. */
export async function discard(store: ResultStore, lease: Lease): Promise<void> {
  await whileHeld(
    store.dynamodb.send(
      new DeleteCommand({
        TableName: store.tableName,
        Key: resultKey(lease.result.id),
        ConditionExpression: held,
        ExpressionAttributeNames: { "#status": "status" },
        ExpressionAttributeValues: { ":lease": lease.leaseId, ":running": "running" },
      }),
    ),
  );
}

/** A lease that was lost has nothing left to give back. */
async function whileHeld(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
