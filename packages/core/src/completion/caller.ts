import * as z from "zod";
import { requireOutputWithinLimit } from "../budget/output-tokens.ts";
import { survey } from "../json/survey.ts";
import { budgetOf, type CallerKey } from "../key/limits.ts";
import { derivedResultId, hashOf, newResultId } from "../result/id.ts";
import type { Result, ResultImage } from "../result/result.ts";
import { parseRequest } from "../validation/request.ts";
import type { ChatCall } from "./call.ts";
import type { Job } from "./job.ts";

/** Who asks what over HTTP, and until when. */
export interface Caller {
  owner: string;
  key: CallerKey;
  /** `Idempotency-Key` header. */
  idempotencyKey: string | null;
  deadlineMs: number;
  /** The request as the caller wrote it. Left out, it is what was parsed of it, written anew. */
  body?: string | null | undefined;
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
  return { id: derivedResultId(route, caller.owner, key), requestHash: hashOf(identifying(request, caller.body)) };
}

/**
 * The parts of a request that decide whether another one under the same key is the same request. These are its parsed values: white
 * space and the order of parameters make no difference. When parsing lost something that OpenAI is sent, such as a digit or the order
 * of a schema's keys, the text counts as well. Other requests have the hash that they always had, and their results still replay.
 */
function identifying(request: unknown, body: string | null | undefined): unknown {
  if (!body) return request;
  const { hasRounded, hasSorted, shadowed } = survey(body);
  return hasRounded || hasSorted || shadowed.length > 0 ? [request, body] : request;
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
  // Before it is stored: a request that is put off would be told too late.
  requireOutputWithinLimit(call.params, budgetOf(caller.key));
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
