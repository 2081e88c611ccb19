import type { SQSClient } from "@aws-sdk/client-sqs";
import { queueUrl } from "./config.ts";
import { shortTimeouts } from "./timeouts.ts";

/**
 * SQS hides a message for 12 hours at most, counted from its receive. A function may be at work for 15 minutes of them before
 * it knows how long to wait.
 */
const maxWaitSeconds = 12 * 3600 - 20 * 60;

/** A queue's own calls. SQS' client is loaded with the first of them: a consumer whose messages all succeed never does. */
export function queueNamed(name: Parameters<typeof queueUrl>[0]) {
  const QueueUrl = queueUrl(name);
  let loaded: Promise<{ sqs: SQSClient; commands: typeof import("@aws-sdk/client-sqs") }> | undefined;
  const load = () => {
    loaded ??= import("@aws-sdk/client-sqs").then((commands) => ({
      sqs: new commands.SQSClient({ requestHandler: shortTimeouts }),
      commands,
    }));
    return loaded;
  };
  return {
    async send(message: string): Promise<void> {
      const { sqs, commands } = await load();
      await sqs.send(new commands.SendMessageCommand({ QueueUrl, MessageBody: message }));
    },

    /** Hides a received message for this long before it comes back. */
    async postpone(receiptHandle: string, seconds: number): Promise<void> {
      const { sqs, commands } = await load();
      const VisibilityTimeout = Math.min(Math.ceil(seconds), maxWaitSeconds);
      await sqs.send(
        new commands.ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout }),
      );
    },
  };
}
