import { AppError } from "../error.ts";
import type { CallerKey } from "../key/limits.ts";
import { derivedResultId, hashOf, newResultId } from "./id.ts";

/** Who asks over HTTP, and until when. */
export interface Caller {
  owner: string;
  key: CallerKey;
  /** `Idempotency-Key` header. */
  idempotencyKey: string | null;
  deadlineMs: number;
}

const maxKeyLength = 255;

/** The result's id and what it stands for: with an `Idempotency-Key`, the same request always has the same id. */
export function requestIdentity(caller: Caller, route: string, request: unknown) {
  const key = caller.idempotencyKey;
  if (key === null) return { id: newResultId(), requestHash: null };
  if (key === "" || key.length > maxKeyLength) {
    throw new AppError("invalid_request", `Idempotency-Key: Use 1 to ${maxKeyLength} characters.`, {
      param: "Idempotency-Key",
    });
  }
  return { id: derivedResultId(route, caller.owner, key), requestHash: hashOf(request) };
}
