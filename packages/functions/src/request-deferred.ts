import { processRequest, resultIdOf } from "@tollgate/core/deferred/process";
import { type AppError, toAppError } from "@tollgate/core/error";
import { causeOf, log } from "./log.ts";
import { chatDeps } from "./runtime/chat.ts";
import { config } from "./runtime/config.ts";
import { texts } from "./runtime/results.ts";
import { shrink } from "./runtime/shrink.ts";
import { queueNamed } from "./runtime/sqs.ts";
import { uploadedImages } from "./runtime/uploaded-images.ts";
import { sqsHandler } from "./sqs-handler.ts";

const { MAX_RECEIVE_COUNT } = config("MAX_RECEIVE_COUNT");
const queue = { ...queueNamed("RequestDeferredQueue"), maxReceiveCount: MAX_RECEIVE_COUNT };
const deps = { ...chatDeps, images: uploadedImages, shrink, requests: texts };

export const handler = sqsHandler(queue, async ({ body, isLast, deadlineMs }): Promise<AppError[]> => {
  const startedMs = Date.now();
  const resultId = resultIdOf(body);
  try {
    const result = await processRequest(deps, resultId, { deadlineMs, lastChance: isLast });
    log("info", "request_resumed", {
      result_id: resultId,
      owner: result?.owner,
      status: result?.status ?? "deleted",
      code: result?.error?.code,
      latency_ms: Date.now() - startedMs,
    });
    return [];
  } catch (thrown) {
    const error = toAppError(thrown);
    log("warn", "request_returns", {
      result_id: resultId,
      code: error.code,
      latency_ms: Date.now() - startedMs,
      cause: causeOf(error.cause),
    });
    return [error];
  }
});
