import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { causeOf, log } from "./log.ts";

export type RecordOutcome = "done" | "retry";

/**
 * Works on a batch's records side by side. Each has an outcome of its own: those to retry are reported by their message id,
 * and SQS deletes the others. A record whose handler throws is one to retry.
 */
export const records =
  (handle: (record: SQSRecord, deadlineMs: number) => Promise<RecordOutcome>) =>
  async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const deadlineMs = Date.now() + context.getRemainingTimeInMillis();
    const outcomes = await Promise.all(
      event.Records.map(async (record) => ({
        id: record.messageId,
        outcome: await handle(record, deadlineMs).catch((error: unknown): RecordOutcome => {
          log("error", "record_failed", { message_id: record.messageId, cause: causeOf(error) });
          return "retry";
        }),
      })),
    );
    return {
      batchItemFailures: outcomes.flatMap(({ id, outcome }) => (outcome === "retry" ? [{ itemIdentifier: id }] : [])),
    };
  };
