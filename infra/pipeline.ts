import { createFunction } from "./function.ts";
import { items } from "./items.ts";
import { pipeline as limits } from "./limits.ts";
import { openai, shrinking } from "./openai.ts";
import { handOver } from "./settle-later.ts";
import { images, resources } from "./storage.ts";

export const imageUploadedDlq = new sst.aws.Queue("ImageUploadedDlq", {
  transform: { queue: { messageRetentionSeconds: limits.deadLetterRetentionDays * 24 * 3600 } },
});

export const imageUploadedQueue = new sst.aws.Queue("ImageUploadedQueue", {
  visibilityTimeout: `${limits.visibilityTimeoutMs / 1000} seconds`,
  dlq: { queue: imageUploadedDlq.arn, retry: limits.maxReceiveCount },
});

// Not `images.notify()`: its queue policy lets any bucket, topic or rule of any account send, and every message is money.
const fromImages = new aws.sqs.QueuePolicy("ImageUploadedQueuePolicy", {
  queueUrl: imageUploadedQueue.url,
  policy: aws.iam.getPolicyDocumentOutput({
    statements: [
      {
        effect: "Allow",
        principals: [{ type: "Service", identifiers: ["s3.amazonaws.com"] }],
        actions: ["sqs:SendMessage"],
        resources: [imageUploadedQueue.arn],
        conditions: [{ test: "ArnEquals", variable: "aws:SourceArn", values: [images.arn] }],
      },
    ],
  }).json,
});

new aws.s3.BucketNotification(
  "ImagesNotification",
  {
    bucket: images.name,
    queues: [{ queueArn: imageUploadedQueue.arn, events: ["s3:ObjectCreated:*"], filterPrefix: "uploads/" }],
  },
  { dependsOn: [fromImages] },
);

const { link, environment } = openai(limits);

export const imageUploaded = createFunction("ImageUploaded", {
  file: "image-uploaded",
  limits,
  link: [...link, imageUploadedQueue],
  environment: { ...environment, ...shrinking.environment, MAX_RECEIVE_COUNT: String(limits.maxReceiveCount) },
  install: shrinking.install,
  permissions: [
    items.get("result", "revoked"),
    items.put("result", "content"),
    items.update("result", "usage", "budget", "rate"),
    // The claim of an image that was analysed before.
    items.delete("result"),
    { actions: ["s3:GetObject"], resources: [resources.uploads] },
    { actions: ["s3:GetObject", "s3:PutObject"], resources: [resources.outputs] },
    handOver,
    {
      // What Lambda's poller does in the function's name; the function itself postpones a message that failed.
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
      resources: [imageUploadedQueue.arn],
    },
  ],
});

imageUploadedQueue.subscribe(imageUploaded.arn, {
  batch: { size: limits.batchSize, partialResponses: true },
  transform: { eventSourceMapping: { scalingConfig: { maximumConcurrency: limits.maximumConcurrency } } },
});
