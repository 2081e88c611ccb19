import * as z from "zod";
import { reservation } from "../budget/schema.ts";
import { indexPartitions, partitions } from "../dynamodb/keys.ts";
import { ledgerEntry } from "../usage/ledger.ts";
import { jitless } from "../validation/jitless.ts";
import { newUlid } from "./id.ts";
import { type Result, storedResult } from "./result.ts";

/** How a result lies in the table. Answers too large for an item lie in S3, and the item holds their key. */
const item = z.object({
  result: storedResult,
  /** Another with each write: see `revisionUnchanged`. */
  revision: z.string(),
  lease_id: z.string(),
  /** Epoch milliseconds. Of a result that waits without a lease: until when one may. */
  lease_expires_at: z.number(),
  request_hash: z.string().nullable(),
  /** Attempts that may have been billed unseen and are not on the counters yet: the next settlement adds them. */
  pending_unaccounted: z.int(),
  /** What the attempt that holds the lease, or died holding it, has kept back from a budget. */
  reservation: reservation.optional(),
  /** What this result has put on the counters so far: an entry for each day and model. */
  ledger: z.array(ledgerEntry),
  /** What the sweep put there for an attempt that it took for dead: it is taken off again if that attempt settles after all. */
  swept: ledgerEntry.optional(),
  answer: z.string().optional(),
  answer_key: z.string().optional(),
  /** Epoch seconds. DynamoDB deletes the item then, or up to some days later; never when it is no number. */
  expires_at: z.number().nullish(),
});

export type StoredItem = z.infer<typeof item>;

/** Throws on an item that this code did not write: our own bug, never the caller's. */
export const parseItem = (raw: unknown): StoredItem => item.parse(raw, jitless);

export const newRevision = newUlid;

/**
 * The condition of a write that is made of what was read before: nobody has written since. `:seen` is the revision that was
 * read. Who holds the lease needs it only where another may write too.
 */
export const revisionUnchanged = "revision = :seen";

/** What DynamoDB may have deleted already counts as deleted. */
export const isExpired = ({ expires_at }: Pick<StoredItem, "expires_at">, now: Date): boolean =>
  typeof expires_at === "number" && expires_at <= epochSeconds(now);

/** As DynamoDB's TTL counts. */
export const epochSeconds = (when: Date): number => Math.floor(when.getTime() / 1000);

/**
 * A result that waits for its image or its request is forgotten after this long: no queue keeps a message until then, not even a
 * dead one (SQS: 14 days at most), so that one which nobody has begun has none any more.
 */
export const waitingTtlMs = 15 * 24 * 60 * 60 * 1000;

/** No attempt holds this result: none has begun, or the last one gave it back. */
export const noLease = "none";

/** Whether an attempt holds this result that is not dead. */
export const isHeld = ({ lease_id, lease_expires_at }: StoredItem, nowMs: number): boolean =>
  lease_id !== noLease && lease_expires_at > nowMs;

export const resultKey = (id: string) => ({ pk: `${partitions.result}${id}`, sk: "result" });

/** What is left of a deleted result. Its id may be used again, so that the attempt is part of the key. */
export const receiptKey = (id: string, leaseId: string) => ({ pk: resultKey(id).pk, sk: `deleted#${leaseId}` });

/** A partition of an index takes 1,000 writes a second, and each result is written to this one and taken off again. */
const leaseShards = 8;
const shardKey = (shard: number) => `${indexPartitions.lease}${shard}`;
export const leaseShardKeys = Array.from({ length: leaseShards }, (_, shard) => shardKey(shard));

/** An id's last letter is as good as drawn. */
export const leaseShardOf = (id: string): string => shardKey(id.charCodeAt(id.length - 1) % leaseShards);

export const ownerKey = ({ owner, createdAt, id }: Pick<Result, "owner" | "createdAt" | "id">) => ({
  owner_pk: `${indexPartitions.ownerResults}${owner}`,
  owner_sk: `${createdAt}#${id}`,
});
