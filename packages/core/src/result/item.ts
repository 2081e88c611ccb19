import * as z from "zod";
import { reservation } from "../budget/budget.ts";
import { type Result, storedResult } from "./result.ts";

/** How a result lies in the table. Answers too large for an item lie in S3, and the item holds their key. */
const item = z.object({
  result: storedResult,
  lease_id: z.string(),
  lease_expires_at: z.number(),
  request_hash: z.string().nullable(),
  /** Attempts that may have been billed unseen and are not on the counters yet: the next settlement adds them. */
  pending_unaccounted: z.int(),
  /** What the attempt that holds the lease, or died holding it, has kept back from a budget. */
  reservation: reservation.optional(),
  answer: z.string().optional(),
  answer_key: z.string().optional(),
});

export type StoredItem = z.infer<typeof item>;

/** Throws on an item that this code did not write: our own bug, never the caller's. */
export const parseItem = (raw: unknown): StoredItem => item.parse(raw);

/** No attempt holds this result: none has begun, or the last one gave it back. */
export const noLease = "none";

export const resultKey = (id: string) => ({ pk: `result#${id}`, sk: "result" });

/** The index that lists an owner's results by time. `kind` and `status` are projected, to filter by. */
export const ownerIndex = "by_owner";
export const ownerKey = ({ owner, createdAt, id }: Pick<Result, "owner" | "createdAt" | "id">) => ({
  owner_pk: `results#${owner}`,
  owner_sk: `${createdAt}#${id}`,
});
