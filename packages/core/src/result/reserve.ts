import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { budgetRefusal, reserveUpdate } from "../budget/budget.ts";
import { maxCostOf } from "../budget/estimate.ts";
import { monthOf } from "../budget/month.ts";
import type { KeyBudget, Reservation } from "../budget/schema.ts";
import { isConflict, transact } from "../dynamodb/transaction.ts";
import { AppError } from "../error.ts";
import { type PriceOverrides, priceOf } from "../usage/price.ts";
import type { Lease } from "./claim.ts";
import { newRevision, resultKey } from "./item.ts";
import { heldValues, ownsLease } from "./settle.ts";
import type { ResultStore } from "./store.ts";

export interface ReserveDeps {
  store: ResultStore;
  prices: PriceOverrides;
  now: () => Date;
}

/**
 * Keeps back what this attempt may cost at most, and returns the lease that carries the reservation. Result and budget
 * change in one transaction, so that no reservation exists without the result that will end it.
 *
 * Throws `budget_exceeded`; `model_not_allowed` when nobody knows what the model or the service tier costs; `in_progress`
 * when the lease was lost; `rate_limited` when too many requests reach for this budget at once.
 */
export async function reserve(
  { store, prices, now }: ReserveDeps,
  lease: Lease,
  budget: KeyBudget,
  params: ChatCompletionCreateParamsNonStreaming,
): Promise<Lease> {
  const reservation: Reservation = {
    key_id: budget.keyId,
    month: monthOf(now()),
    nano_usd: priced(params, prices, now()),
  };
  const carry = {
    TableName: store.tableName,
    Key: resultKey(lease.result.id),
    UpdateExpression: "SET reservation = :reservation, revision = :revision",
    ConditionExpression: ownsLease,
    ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: { ...heldValues(lease), ":reservation": reservation, ":revision": newRevision() },
  };
  const keep = reserveUpdate(store.tableName, reservation, budget.limitNanoUsd);
  const refusal = await transact(store.dynamodb, () => [{ Update: carry }, { Update: keep }]).catch((cause) => {
    if (!isConflict(cause)) throw cause;
    const message = "Too many requests reach for this key's budget at once. Try again in a second.";
    throw new AppError("rate_limited", message, { retryAfterSeconds: 1, cause });
  });
  if (refusal === null) return { ...lease, reservation };
  if (refusal.index === 0) {
    const message = "Another attempt has taken over this request.";
    throw new AppError("in_progress", message, { retryAfterSeconds: 5, resultId: lease.result.id });
  }
  throw budgetRefusal(reservation, budget.limitNanoUsd, refusal.item);
}

function priced(params: ChatCompletionCreateParamsNonStreaming, prices: PriceOverrides, now: Date): number {
  const rates = priceOf(params.model, now, prices);
  const nanoUsd = rates && maxCostOf(params, rates);
  if (nanoUsd !== null) return nanoUsd;
  const [what, param] = rates ? [`service_tier "${params.service_tier}" of `, "service_tier"] : ["", "model"];
  throw new AppError(
    "model_not_allowed",
    `${param}: The price of ${what}"${params.model}" is not known here, and this key has a budget. Use another, or have the stage's operator give its price (PRICES).`,
    { param },
  );
}
