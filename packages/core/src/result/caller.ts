import * as z from "zod";
import { parseRequest } from "../request.ts";
import { derivedResultId, hashOf, newResultId } from "./id.ts";

/** Who asks over HTTP, and until when. */
export interface Caller {
  owner: string;
  /** `Idempotency-Key` header. */
  idempotencyKey: string | null;
  deadlineMs: number;
}

/** Spaces at either end never arrive: HTTP takes them away. */
export const idempotencyKey = z
  .string()
  .regex(/^[!-~]([ -~]{0,253}[!-~])?$/, "Use 1 to 255 printable ASCII characters.");

const identifyingHeaders = z.object({ "Idempotency-Key": idempotencyKey });

/** The result's id and what it stands for; throws `invalid_request` on a key that is none. With an `Idempotency-Key`, the same request always has the same id. */
export function requestIdentity(caller: Caller, route: string, request: unknown) {
  const key = caller.idempotencyKey;
  if (key === null) return { id: newResultId(), requestHash: null };
  parseRequest(identifyingHeaders, { "Idempotency-Key": key });
  return { id: derivedResultId(route, caller.owner, key), requestHash: hashOf(request) };
}
