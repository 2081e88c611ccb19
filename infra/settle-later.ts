import { createFunction } from "./function.ts";
import { items } from "./items.ts";
import { settleLater as limits } from "./limits.ts";
import { resultTtl } from "./retention.ts";
import { images, ledger, resources } from "./storage.ts";

export const settleLaterDlq = new sst.aws.Queue("SettleLaterDlq", {
  transform: {
    queue: {
      messageRetentionSeconds: limits.deadLetterRetentionDays * 24 * 3600,
      maxMessageSize: limits.maxMessageBytes,
    },
  },
});

/** Answers that were paid for while the table could not be written. */
export const settleLaterQueue = new sst.aws.Queue("SettleLaterQueue", {
  visibilityTimeout: `${limits.visibilityTimeoutMs / 1000} seconds`,
  dlq: { queue: settleLaterDlq.arn, retry: limits.maxReceiveCount },
  transform: { queue: { maxMessageSize: limits.maxMessageBytes } },
});

/** To leave a settlement there. */
export const handOver = { actions: ["sqs:SendMessage"], resources: [settleLaterQueue.arn] };

export const settleLater = createFunction("SettleLater", {
  file: "settle-later",
  limits,
  link: [ledger, images, settleLaterQueue],
  environment: { MAX_RECEIVE_COUNT: String(limits.maxReceiveCount), ...resultTtl },
  permissions: [
    items.update("result", "usage", "budget"),
    { actions: ["s3:GetObject", "s3:PutObject"], resources: [resources.outputs] },
    {
      // What Lambda's poller does in the function's name; the function itself postpones a message that failed.
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
      resources: [settleLaterQueue.arn],
    },
  ],
});

settleLaterQueue.subscribe(settleLater.arn, {
  batch: { size: limits.batchSize, partialResponses: true },
  transform: { eventSourceMapping: { scalingConfig: { maximumConcurrency: limits.maximumConcurrency } } },
});
