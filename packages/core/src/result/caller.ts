import type { ChatCall } from "../chat/params.ts";
import { AppError } from "../error.ts";
import type { CallerKey } from "../key/limits.ts";
import { derivedResultId, hashOf, newResultId } from "./id.ts";
import type { Job } from "./perform.ts";
import type { Result, ResultImage } from "./result.ts";

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

interface HttpRequest {
  metadata?: Record<string, string> | null | undefined;
}

/** The work of a request that came over HTTP, and that nothing can be found wrong with. */
export function httpJob(
  kind: Result["kind"],
  request: HttpRequest,
  caller: Caller,
  call: ChatCall & { image?: ResultImage | null },
): Job {
  return {
    ...requestIdentity(caller, kind, request),
    kind,
    source: "http",
    owner: caller.owner,
    key: caller.key,
    model: call.model,
    schema: call.schema,
    metadata: request.metadata ?? {},
    image: call.image ?? null,
    prepare: () => call,
    deadlineMs: caller.deadlineMs,
    onFailure: "fail",
  };
}
