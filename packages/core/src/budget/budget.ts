import { GetCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { partitions } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import { AppError } from "../error.ts";
import { formatUsd } from "../usage/cost.ts";
import { jitless } from "../validation/jitless.ts";
import { endOfMonth } from "./month.ts";
import type { Reservation } from "./schema.ts";

/**
 * One item for each key and month. `committed` is what is spent and what is reserved in one number, since DynamoDB's
 * conditions cannot add: never above the limit when a reservation is made.
 *
 *   reserve   committed + estimate                              on condition that it stays within the limit
 *   charge    committed + (cost − estimate)    spent + cost     in the transaction that ends the attempt
 */
const stored = z.object({ committed_nano_usd: z.int().default(0), spent_nano_usd: z.int().default(0) });
export type BudgetState = z.infer<typeof stored>;

const budgetItemKey = (keyId: string, month: string) => ({ pk: `${partitions.budget}${keyId}`, sk: month });

export async function readBudget({ dynamodb, tableName }: Table, keyId: string, month: string): Promise<BudgetState> {
  const { Item } = await dynamodb.send(
    new GetCommand({ TableName: tableName, Key: budgetItemKey(keyId, month), ConsistentRead: true }),
  );
  return stored.parse(Item ?? {}, jitless);
}

/** The part of a transaction that reserves, on condition that the budget has room. */
export function reserveUpdate(tableName: string, { key_id, month, nano_usd }: Reservation, limitNanoUsd: number) {
  const room = limitNanoUsd - nano_usd;
  return {
    TableName: tableName,
    Key: budgetItemKey(key_id, month),
    UpdateExpression: "ADD committed_nano_usd :estimate",
    // Without an item nothing is committed, and any room is enough; without room nothing is.
    ConditionExpression: `committed_nano_usd <= :room${room < 0 ? "" : " OR attribute_not_exists(pk)"}`,
    ExpressionAttributeValues: { ":estimate": nano_usd, ":room": room },
    ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
  };
}

/** The part of a transaction that puts what was spent in a reservation's place; 0 gives it back whole. */
export function chargeUpdate(tableName: string, { key_id, month, nano_usd }: Reservation, spentNanoUsd: number) {
  return {
    TableName: tableName,
    Key: budgetItemKey(key_id, month),
    UpdateExpression: "ADD committed_nano_usd :change, spent_nano_usd :spent",
    ExpressionAttributeValues: { ":change": spentNanoUsd - nano_usd, ":spent": spentNanoUsd },
  };
}

/** The same for an attempt that died: all that it had reserved counts as spent. */
export const chargeWhole = (tableName: string, reservation: Reservation) =>
  chargeUpdate(tableName, reservation, reservation.nano_usd);

/** How soon a request that waits for another's reservation is worth another try: most calls end within seconds. */
const reservedRetryAfterSeconds = 5;

/**
 * Why a budget has no room. Money that is spent does not come back: `budget_exceeded`. Money that other requests have
 * reserved comes back when they end: `rate_limited`. `found` is the budget's item when it was refused, if it had one.
 */
export function budgetRefusal({ month, nano_usd }: Reservation, limitNanoUsd: number, found: unknown): AppError {
  const { committed_nano_usd, spent_nano_usd } = stored.parse(found ?? {}, jitless);
  const [limit, spent, asked] = [limitNanoUsd, spent_nano_usd, nano_usd].map(usd);
  if (spent_nano_usd + nano_usd <= limitNanoUsd) {
    const reserved = usd(committed_nano_usd - spent_nano_usd);
    return new AppError(
      "rate_limited",
      `This key's budget is ${limit} a month. ${spent} of it are spent in ${month}, and ${reserved} are reserved by requests that are still running. This request would reserve ${asked}. Try again in ${reservedRetryAfterSeconds} s, when some of them may have ended. A lower max_completion_tokens reserves less.`,
      { retryAfterSeconds: reservedRetryAfterSeconds },
    );
  }
  return new AppError(
    "budget_exceeded",
    `This key's budget is ${limit} a month. ${spent} of it are spent in ${month}, and this request would reserve ${asked}, the most that it can cost. A lower max_completion_tokens reserves less; the next month begins at ${endOfMonth(month)}.`,
  );
}

/** `$0.0123`, exact, with two decimals at least. */
const usd = (nanoUsd: number): string => `$${formatUsd(nanoUsd).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
