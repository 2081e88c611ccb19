import { createFunction } from "./function.ts";
import { items } from "./items.ts";
import { deferred as limits } from "./limits.ts";
import { openai, shrinking } from "./openai.ts";
import { handOver } from "./settle-later.ts";
import { resources } from "./storage.ts";

export const requestDeferredDlq = new sst.aws.Queue("RequestDeferredDlq", {
  transform: { queue: { messageRetentionSeconds: limits.deadLetterRetentionDays * 24 * 3600 } },
});

export const requestDeferredQueue = new sst.aws.Queue("RequestDeferredQueue", {
  visibilityTimeout: `${limits.visibilityTimeoutMs / 1000} seconds`,
  dlq: { queue: requestDeferredDlq.arn, retry: limits.maxReceiveCount },
});

const { link, environment } = openai(limits);

export const requestDeferred = createFunction("RequestDeferred", {
  file: "request-deferred",
  limits,
  link: [...link, requestDeferredQueue],
  environment: { ...environment, ...shrinking.environment, MAX_RECEIVE_COUNT: String(limits.maxReceiveCount) },
  install: shrinking.install,
  permissions: [
    // No deletion: a result whose id was handed out is never forgotten.
    items.get("result", "revoked"),
    items.put("result"),
    items.update("result", "usage", "budget"),
    { actions: ["s3:GetObject", "s3:DeleteObject"], resources: [resources.requests] },
    { actions: ["s3:GetObject"], resources: [resources.uploads] },
    { actions: ["s3:GetObject", "s3:PutObject"], resources: [resources.outputs] },
    handOver,
    {
      // What Lambda's poller does in the function's name; the function itself postpones a message that failed.
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
      resources: [requestDeferredQueue.arn],
    },
  ],
});

requestDeferredQueue.subscribe(requestDeferred.arn, {
  batch: { size: limits.batchSize, partialResponses: true },
  transform: { eventSourceMapping: { scalingConfig: { maximumConcurrency: limits.maximumConcurrency } } },
});
