import { type AppError, toAppError } from "@tollgate/core/error";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { causeOf, log, withLogContext } from "./log.ts";

/** One delivery of a message. */
export interface Delivery {
  body: string;
  /** A message that fails now goes to the dead-letter queue. */
  isLast: boolean;
  deadlineMs: number;
}

/** Returns the failures that bring the message back; none when its work is done, for good or for bad. */
export type Work = (receive: Delivery) => Promise<AppError[]>;

export interface Queue {
  maxReceiveCount: number;
  postpone(receiptHandle: string, seconds: number): Promise<void>;
}

/**
 * Works on a batch's records side by side. Each has an outcome of its own: those that come back are reported by their message
 * id, and SQS deletes the others. A record whose work throws is one that comes back.
 */
export const sqsHandler =
  (queue: Queue, work: Work) =>
  async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const deadlineMs = Date.now() + context.getRemainingTimeInMillis();
    const isDone = await Promise.all(
      event.Records.map((record) =>
        withLogContext(subjectOf(record, context), () => workOn(queue, work, record, deadlineMs)),
      ),
    );
    const failed = event.Records.filter((_, index) => !isDone[index]);
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };

const countOf = ({ attributes }: SQSRecord): number => Number(attributes.ApproximateReceiveCount);

/** What every line in the log about a message says. */
const subjectOf = (record: SQSRecord, { awsRequestId }: Context) => ({
  message_id: record.messageId,
  receive_count: countOf(record),
  aws_request_id: awsRequestId,
});

async function workOn(queue: Queue, work: Work, record: SQSRecord, deadlineMs: number): Promise<boolean> {
  const { body, receiptHandle } = record;
  const count = countOf(record);
  const isLast = count >= queue.maxReceiveCount;
  const tell = (thrown: unknown) => log("error", "record_failed", { cause: causeOf(thrown) });
  const failures = await work({ body, isLast, deadlineMs }).catch((thrown: unknown) => {
    tell(thrown);
    return [toAppError(thrown)];
  });
  if (failures.length === 0) return true;
  // One that cannot be postponed comes back all the same, when the queue's own visibility timeout is over.
  await queue.postpone(receiptHandle, isLast ? 0 : waitSeconds(failures, count)).catch(tell);
  return false;
}

/**
 * As long as a rate limit asks for, and at least 5 s, 30 s, 3 and 15 minutes: together longer than any function runs, so that
 * a message whose result another attempt holds outlasts that attempt.
 */
function waitSeconds(failures: AppError[], count: number): number {
  const backoffSeconds = Math.min(5 * 6 ** (count - 1), 900);
  return Math.max(backoffSeconds, ...failures.map(({ retryAfterSeconds }) => retryAfterSeconds ?? 0));
}
