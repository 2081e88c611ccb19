import * as z from "zod";
import { chatCall } from "../chat/chat.ts";
import { chatRequest } from "../chat/schema.ts";
import type { Job, Prepared } from "../completion/job.ts";
import { perform } from "../completion/run.ts";
import { AppError } from "../error.ts";
import { shrinkImages } from "../image/shrink.ts";
import { requireUnrevoked } from "../key/store.ts";
import { isRetryable } from "../result/claim.ts";
import { isExpired, type StoredItem } from "../result/item.ts";
import type { StoredResult } from "../result/result.ts";
import { readItem } from "../result/store.ts";
import type { TextStore } from "../s3/text-store.ts";
import { parseJsonBody } from "../validation/request.ts";
import { visionRequest } from "../vision/schema.ts";
import { type VisionDeps, visionCall } from "../vision/vision.ts";

export interface ProcessDeps extends VisionDeps {
  /** Where requests wait. */
  requests: Pick<TextStore, "get" | "remove">;
}

export interface ProcessOptions {
  deadlineMs: number;
  /** The queue brings the work no more: a passing failure is final. */
  lastChance: boolean;
}

const message = z.object({ result_id: z.string() });

/** The result that a message of `deferredMessage` names. Throws on anything else. */
export const resultIdOf = (body: string): string => message.parse(JSON.parse(body)).result_id;

/**
 * Does the work that a deferred result waits for, unless it is done, and forgets its request. Returns the result in its final
 * state, failed ones too; null when there is none any more. Throws when the message has to come back: now, or, when nothing
 * but a passing failure is left after the last receive, from the dead-letter queue.
 */
export async function processRequest(
  deps: ProcessDeps,
  resultId: string,
  options: ProcessOptions,
): Promise<StoredResult | null> {
  const item = await readItem(deps.store, resultId);
  if (!item?.result.deferred || isExpired(item, deps.now())) return null;
  const result = isOpen(item.result) ? await finish(deps, item, options) : item.result;
  await deps.requests.remove(item.result.deferred.requestKey);
  return result;
}

const isOpen = (result: StoredResult): boolean => result.status === "running" || isRetryable(result);

async function finish(deps: ProcessDeps, item: StoredItem, options: ProcessOptions): Promise<StoredResult | null> {
  try {
    const { result } = await perform(deps, jobOf(deps, item, options));
    return result;
  } catch (error) {
    // A failure that no other attempt would mend is an end like any other.
    const now = await readItem(deps.store, item.result.id);
    if (now && isOpen(now.result)) throw error;
    return now?.result ?? null;
  }
}

function jobOf(deps: ProcessDeps, { result, request_hash }: StoredItem, options: ProcessOptions): Job {
  const { id, kind, source, owner, model, schema, metadata, image } = result;
  return {
    ...{ id, kind, source, owner, model, schema, metadata, image },
    // Its models and its rate held when the request was accepted.
    key: null,
    requestHash: request_hash,
    prepare: (lease) => prepare(deps, lease.result),
    deadlineMs: options.deadlineMs,
    onFailure: options.lastChance ? "fail" : "give_back",
  };
}

async function prepare(deps: ProcessDeps, { deferred, kind, owner }: StoredResult): Promise<Prepared> {
  if (!deferred) throw new AppError("not_found", "The result was deleted before it was worked on.");
  if (deferred.keyId) await requireUnrevoked(deps.store, deferred.keyId);
  const body = await deps.requests.get(deferred.requestKey);
  const call =
    kind === "chat"
      ? chatCall(deps, parseJsonBody(chatRequest, body), body)
      : await shrinkImages(deps.shrink, await visionCall(deps, parseJsonBody(visionRequest, body), owner, body));
  return { ...call, budget: deferred.budget };
}
