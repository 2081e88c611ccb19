import { type AppError, toAppError } from "@tollgate/core/error";
import { analyseUpload, type CreatedObject } from "@tollgate/core/upload/analyse";
import { createdObjects } from "@tollgate/core/upload/s3-event";
import type { SQSRecord } from "aws-lambda";
import { causeOf, log } from "./log.ts";
import { records } from "./queue.ts";
import { chatDeps } from "./runtime/chat.ts";
import { config } from "./runtime/config.ts";
import { images } from "./runtime/s3.ts";
import { postpone } from "./runtime/sqs.ts";

const { MAX_RECEIVE_COUNT } = config("MAX_RECEIVE_COUNT");
const deps = { ...chatDeps, images };

export const handler = records(async (record, deadlineMs) => {
  const failures = await Promise.all(createdObjects(record.body).map((object) => analyse(object, record, deadlineMs)));
  const passing = failures.filter((failure) => failure !== null);
  if (passing.length === 0) return "done";
  const waitSeconds = Math.max(...passing.map(({ retryAfterSeconds }) => retryAfterSeconds ?? 0));
  await postpone(record, isLastChance(record) ? 0 : Math.max(waitSeconds, backoffSeconds(receiveCount(record))));
  return "retry";
});

/** After this receive, SQS moves the message to the dead-letter queue. */
const isLastChance = (record: SQSRecord) => receiveCount(record) >= MAX_RECEIVE_COUNT;

const receiveCount = (record: SQSRecord) => Number(record.attributes.ApproximateReceiveCount);

/** 5 s, 10 s, 20 s, … up to 15 minutes. The queue's own visibility timeout is made for functions that died. */
const backoffSeconds = (attempt: number) => Math.min(5 * 2 ** (attempt - 1), 900);

/** Returns the failure that brings the message back, or null when its work is done, for good or for bad. */
async function analyse(object: CreatedObject, record: SQSRecord, deadlineMs: number): Promise<AppError | null> {
  const startedMs = Date.now();
  const identity = { message_id: record.messageId, receive_count: receiveCount(record), sequencer: object.sequencer };
  try {
    const performed = await analyseUpload(deps, object, { deadlineMs, lastChance: isLastChance(record) });
    if (!performed) log("warn", "object_without_owner", { ...identity, key: object.key });
    else {
      const { result, replayed } = performed;
      log("info", "image_analysed", {
        ...identity,
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
      ...identity,
      result_id: error.resultId ?? undefined,
      code: error.code,
      returns: error.retryable,
      latency_ms: Date.now() - startedMs,
      cause: causeOf(error.cause),
    });
    return error.retryable ? error : null;
  }
}
