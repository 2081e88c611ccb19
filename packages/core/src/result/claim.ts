import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { chargeWhole } from "../budget/budget.ts";
import type { Reservation } from "../budget/schema.ts";
import { retryConflicts, transact } from "../dynamodb/transaction.ts";
import { AppError } from "../error.ts";
import type { LedgerEntry } from "../usage/ledger.ts";
import { newUlid } from "./id.ts";
import {
  epochSeconds,
  isHeld,
  leaseShardOf,
  newRevision,
  noLease,
  parseItem,
  resultKey,
  revisionUnchanged,
  type StoredItem,
  waitingTtlMs,
} from "./item.ts";
import type { Result, StoredResult } from "./result.ts";
import { type ResultStore, toAttributes, toResult } from "./store.ts";

/** The right to settle a result, until it expires. */
export interface Lease {
  leaseId: string;
  /** The result as it was when the lease began. */
  result: StoredResult;
  /** Earlier attempts that OpenAI may have billed unseen: the settlement puts them on the counters. */
  pendingUnaccounted: number;
  /** What this attempt has kept back from a budget; null without one. */
  reservation: Reservation | null;
  /** What earlier attempts have put on the counters. */
  ledger: LedgerEntry[];
}

export type Claim =
  | { outcome: "claimed"; lease: Lease }
  /** The work is done: here is what came of it. */
  | { outcome: "replay"; result: Result }
  | { outcome: "in_progress"; retryAfterSeconds: number; existing: StoredItem }
  /** The id belongs to another request, or to another owner. */
  | { outcome: "mismatch" };

export interface ClaimOptions {
  /**
   * The result to create, `running`, if there is none. A `deferred` one is left without a lease: it waits for the queue, and
   * whoever claims it first takes over no attempt.
   */
  result: StoredResult;
  /** What the id stands for: a claim with another hash is a mismatch. */
  requestHash: string | null;
  nowMs: number;
}

/** An attempt that has not renewed its lease for this long is taken for dead. */
export const leaseMs = 30_000;

/**
 * Claims a result for one attempt: a single conditional put when it is new, as it nearly always is.
 *
 *   time ───────────────────────────────────────────────────────────────────▶
 *   attempt A   claim ─── OpenAI ── renew ── renew ── settle
 *   attempt B          claim: in_progress                    claim: replay
 *
 *   attempt A   claim ─── OpenAI ──✗ killed
 *   attempt B          claim: in_progress   │ lease over │ claim: takes over, and one attempt is unaccounted
 *
 * Where results expire, a claim after that is one of a new result, which OpenAI is asked for again.
 */
export async function claim(store: ResultStore, options: ClaimOptions): Promise<Claim> {
  const leaseId = options.result.deferred ? noLease : newUlid();
  const fresh: StoredItem = {
    result: options.result,
    revision: newRevision(),
    lease_id: leaseId,
    lease_expires_at: leaseEnd(options),
    request_hash: options.requestHash,
    pending_unaccounted: 0,
    ledger: [],
  };
  let existing = await putIfNew(store, fresh, options);
  // Each turn lost means that another attempt moved the result on: look again at what it is now.
  for (;;) {
    if (!existing) {
      return {
        outcome: "claimed",
        lease: { leaseId, result: options.result, pendingUnaccounted: 0, reservation: null, ledger: [] },
      };
    }
    const verdict = judgeExisting(existing, options);
    if (verdict === "replay") return { outcome: "replay", result: await toResult(store, existing) };
    if (verdict === "mismatch") return { outcome: "mismatch" };
    if (verdict === "in_progress") {
      const waitMs = existing.lease_expires_at - options.nowMs;
      return { outcome: "in_progress", retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)), existing };
    }
    const taken = await take(store, existing, options, leaseId);
    if (taken.lease) return { outcome: "claimed", lease: taken.lease };
    // What was there is gone, deleted meanwhile: then the result is new after all.
    existing = taken.existing ?? (await putIfNew(store, fresh, options));
  }
}

const leaseEnd = ({ result, nowMs }: ClaimOptions): number => nowMs + (result.deferred ? waitingTtlMs : leaseMs);

function judgeExisting(existing: StoredItem, options: ClaimOptions): "take" | "replay" | "in_progress" | "mismatch" {
  const { status, owner } = existing.result;
  if (owner !== options.result.owner) return "mismatch";
  if (status === "awaiting_upload") return "take";
  if (existing.request_hash !== options.requestHash) return "mismatch";
  if (status === "running") {
    const waits = options.result.deferred && existing.result.deferred;
    return waits || isHeld(existing, options.nowMs) ? "in_progress" : "take";
  }
  return isRetryable(existing.result) ? "take" : "replay";
}

/** It failed for a reason that passes, and nothing was paid for it. */
export const isRetryable = ({ status, error, usage }: StoredResult): boolean =>
  status === "failed" && usage === null && error !== null && new AppError(error.code, "").retryable;

/** Creates the item unless there is one, which is returned. A result past its time is gone, whether or not DynamoDB has deleted it. */
async function putIfNew(
  store: ResultStore,
  item: StoredItem,
  { result, nowMs }: ClaimOptions,
): Promise<StoredItem | null> {
  const put = new PutCommand({
    TableName: store.tableName,
    Item: toAttributes(item, {
      expires_at: result.deferred && epochSeconds(new Date(nowMs + waitingTtlMs)),
      lease_pk: item.lease_id === noLease ? undefined : leaseShardOf(item.result.id),
    }),
    ConditionExpression: "attribute_not_exists(pk) OR expires_at <= :now AND #status <> :awaiting",
    ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: {
      ":now": epochSeconds(new Date(nowMs)),
      ":awaiting": "awaiting_upload",
    },
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  });
  try {
    await retryConflicts(() => store.dynamodb.send(put));
    return null;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const existing = error.Item ? parseItem(unmarshall(error.Item)) : null;
    // Our own put, whose answer was lost and which the SDK repeated.
    return existing && isSame(existing, item) ? null : existing;
  }
}

/** No two claims write both the same lease and the same place of a request. */
const isSame = (stored: StoredItem, written: Pick<StoredItem, "lease_id" | "result">): boolean =>
  stored.lease_id === written.lease_id && stored.result.deferred?.requestKey === written.result.deferred?.requestKey;

/**
 * Takes a result over as it was read, unless anybody has written since. An attempt that died holding it may have been billed: it is
 * unaccounted, and what it had reserved counts as spent, since breaking off is no way around a budget.
 */
async function take(
  store: ResultStore,
  existing: StoredItem,
  options: ClaimOptions,
  leaseId: string,
): Promise<{ lease: Lease } | { lease: null; existing: StoredItem | null }> {
  const died = existing.result.status === "running" && existing.lease_id !== noLease;
  const pendingUnaccounted = existing.pending_unaccounted + (died ? 1 : 0);
  const deferred = options.result.deferred ?? existing.result.deferred;
  // An announced upload's image is known only now.
  const image = options.result.image ?? existing.result.image;
  const result = { ...existing.result, status: "running" as const, error: null, completedAt: null, deferred, image };
  const update = {
    TableName: store.tableName,
    Key: resultKey(result.id),
    UpdateExpression:
      "SET #result = :result, #status = :running, revision = :revision, lease_id = :lease, lease_expires_at = :expires, request_hash = :hash, pending_unaccounted = :pending, lease_pk = :shard REMOVE expires_at, reservation, swept",
    ConditionExpression: revisionUnchanged,
    ExpressionAttributeNames: { "#result": "result", "#status": "status" },
    ExpressionAttributeValues: {
      ":result": result,
      ":running": "running",
      ":revision": newRevision(),
      ":lease": leaseId,
      ":expires": leaseEnd(options),
      ":hash": options.requestHash,
      ":pending": pendingUnaccounted,
      ":shard": leaseShardOf(result.id),
      ":seen": existing.revision,
    },
    ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
  };
  const lost = existing.reservation;
  const charge = lost ? [{ Update: chargeWhole(store.tableName, lost) }] : [];
  const refusal = await transact(store.dynamodb, () => [{ Update: update }, ...charge]);
  const now = refusal?.item ? parseItem(refusal.item) : null;
  const isOurs = now !== null && isSame(now, { lease_id: leaseId, result });
  if (refusal !== null && !isOurs) return { lease: null, existing: now };
  return { lease: { leaseId, result, pendingUnaccounted, reservation: null, ledger: existing.ledger } };
}
