import { type AppError, toAppError } from "@tollgate/core/error";
import { analyseUpload, type CreatedObject } from "@tollgate/core/upload/analyse";
import { isLeftAlone } from "@tollgate/core/upload/left-alone";
import { causeOf, log } from "./log.ts";
import { chatDeps } from "./runtime/chat.ts";
import { config } from "./runtime/config.ts";
import { images } from "./runtime/s3.ts";
import { shrink } from "./runtime/shrink.ts";
import { queueNamed } from "./runtime/sqs.ts";
import { createdObjects } from "./s3-event.ts";
import { type Delivery, sqsHandler } from "./sqs-handler.ts";

const { MAX_RECEIVE_COUNT } = config("MAX_RECEIVE_COUNT");
const queue = { ...queueNamed("ImageUploadedQueue"), maxReceiveCount: MAX_RECEIVE_COUNT };
const deps = { ...chatDeps, images, shrink };

export const handler = sqsHandler(queue, async (receive) => {
  const failures = await Promise.all(createdObjects(receive.body).map((object) => analyse(object, receive)));
  return failures.filter((failure) => failure !== null);
});

/** Returns the failure that brings the message back, or null when its work is done, for good or for bad. */
async function analyse(object: CreatedObject, receive: Delivery): Promise<AppError | null> {
  const startedMs = Date.now();
  const { sequencer } = object;
  if (isLeftAlone(object.key)) {
    log("info", "object_left_alone", { sequencer });
    return null;
  }
  try {
    const performed = await analyseUpload(deps, object, { deadlineMs: receive.deadlineMs, lastChance: receive.isLast });
    if (!performed) log("warn", "object_without_owner", { sequencer, key: object.key });
    else {
      const { result, replayed } = performed;
      log("info", "image_analysed", {
        sequencer,
        owner: result.owner,
        result_id: result.id,
        status: result.status,
        replayed,
        latency_ms: Date.now() - startedMs,
      });
    }
    return null;
  } catch (thrown) {
    const error = toAppError(thrown);
    log(error.retryable ? "warn" : "info", "image_failed", {
      sequencer,
      result_id: error.resultId ?? undefined,
      code: error.code,
      returns: error.retryable,
      latency_ms: Date.now() - startedMs,
      cause: causeOf(error.cause),
    });
    return error.retryable ? error : null;
  }
}
