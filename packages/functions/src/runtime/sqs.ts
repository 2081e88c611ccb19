import type { SQSRecord } from "aws-lambda";
import { queueUrl } from "./config.ts";

/** SQS' limit for a visibility timeout: 12 hours. */
const maxVisibilitySeconds = 43_200;

/** Hides a message for this long before it comes back. SQS' client is loaded when the first one fails. */
export async function postpone(record: SQSRecord, seconds: number): Promise<void> {
  const { ChangeMessageVisibilityCommand, SQSClient } = await import("@aws-sdk/client-sqs");
  await new SQSClient().send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: queueUrl(),
      ReceiptHandle: record.receiptHandle,
      VisibilityTimeout: Math.min(Math.ceil(seconds), maxVisibilitySeconds),
    }),
  );
}
