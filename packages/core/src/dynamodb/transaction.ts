import { randomUUID } from "node:crypto";
import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from "@aws-sdk/client-dynamodb";
import {
  type DynamoDBDocumentClient,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";

export type TransactItems = NonNullable<TransactWriteCommandInput["TransactItems"]>;

/** The first item of a transaction whose condition failed: nothing was written. */
export interface Refusal {
  index: number;
  /** What stood there, where the item asked for it (`ReturnValuesOnConditionCheckFailure`); null when nothing did. */
  item: Record<string, unknown> | null;
}

/**
 * Writes all of it or nothing; null when it was written. Throws what is neither a condition nor a passing conflict.
 * `itemsOf` may move items that need not lie where another transaction is at work.
 */
export function transact(
  dynamodb: DynamoDBDocumentClient,
  itemsOf: (tries: number) => TransactItems,
): Promise<Refusal | null> {
  return retryConflicts(async (tries) => {
    try {
      // The same in each of the SDK's repetitions: DynamoDB then tells what became of the first.
      const ClientRequestToken = randomUUID();
      await dynamodb.send(new TransactWriteCommand({ TransactItems: itemsOf(tries), ClientRequestToken }));
      return null;
    } catch (error) {
      const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      const index = reasons.findIndex(({ Code }) => Code === "ConditionalCheckFailed");
      if (index < 0) throw error;
      const item = reasons[index]?.Item;
      return { index, item: item ? unmarshall(item) : null };
    }
  });
}

/** About 6 s of waiting in all: a budget that a hundred requests reach for at once is free again within 2. */
const maxTries = 30;
const firstWaitMs = 10;
const maxWaitMs = 400;

/** Repeats a write that another transaction on the same item stood in the way of. Throws the conflict when none got through. */
export async function retryConflicts<T>(write: (tries: number) => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await write(tries);
    } catch (error) {
      if (!isConflict(error) || tries + 1 >= maxTries) throw error;
      // Jitter over the whole wait: those that met once do not meet again.
      const waitMs = Math.random() * Math.min(maxWaitMs, firstWaitMs * 2 ** tries);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

const passing = new Set(["None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]);

/** Whether a write failed only because others are at work on the same item. */
export function isConflict(error: unknown): boolean {
  if (error instanceof TransactionConflictException) return true;
  if (!(error instanceof TransactionCanceledException)) return false;
  return (error.CancellationReasons ?? []).every(({ Code }) => passing.has(Code ?? ""));
}

/** Waits for a write that need not be made when its condition does not hold. Any other failure is thrown. */
export async function unlessRefused(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
