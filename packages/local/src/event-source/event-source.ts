import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
  type SQSClientConfig,
} from "@aws-sdk/client-sqs";
import type { Lambda } from "../lambda/lambda.ts";
import type { EventSourceMappingSpec } from "../manifest.ts";
import { failedItems } from "./batch-response.ts";
import { recordOf } from "./record.ts";

/** What SQS gives and takes in one call. */
const SQS_BATCH_SIZE = 10;
/** SQS's longest poll. */
const LONG_POLL_SECONDS = 20;
/** How long to leave a queue alone that answers with an error. */
const RETRY_DELAY_MS = 1_000;
/**
 * Without a maximum Lambda begins with five concurrent batches and adds more under load; here it stays with five.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html, read in November 2026.
 */
const UNCONFIGURED_CONCURRENCY = 5;

export interface EventSourceOptions {
  mapping: EventSourceMappingSpec;
  queueUrl: string;
  queueArn: string;
  client: Pick<SQSClientConfig, "endpoint" | "region" | "credentials">;
  functionTimeoutSeconds: number;
  lambda: Pick<Lambda, "invoke">;
  /** Takes what went wrong with a batch. */
  log(line: string): void;
}

/**
 * Polls a queue and invokes the function with what comes, as an event source mapping does. Messages that a batch
 * processed are deleted; those that failed are left alone and come again when their visibility time-out ends.
 *
 * @throws Error for a queue that would deliver a message again while the function may still be at work on it
 */
export async function startEventSource(options: EventSourceOptions): Promise<{ stop(): Promise<void> }> {
  const { mapping, queueUrl, log } = options;
  const concurrency = mapping.maximumConcurrency ?? UNCONFIGURED_CONCURRENCY;
  const sqs = new SQSClient(options.client);
  await checkVisibility(sqs, options).catch((error: unknown) => {
    sqs.destroy();
    throw error;
  });
  const stopping = new AbortController();
  const batches = new Set<Promise<void>>();

  const receive = async (limit: number, waitMs: number): Promise<Message[]> => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(limit, SQS_BATCH_SIZE),
        WaitTimeSeconds: Math.min(Math.ceil(waitMs / 1000), LONG_POLL_SECONDS),
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
      }),
      { abortSignal: stopping.signal },
    );
    return Messages;
  };

  /** Waits for a first message, then for the batch to be full or its window to close. */
  const collect = async (): Promise<Message[]> => {
    const batch = await receive(mapping.batchSize, LONG_POLL_SECONDS * 1000);
    const closesAtMs = performance.now() + mapping.batchWindowSeconds * 1000;
    while (batch.length > 0 && batch.length < mapping.batchSize) {
      const leftMs = closesAtMs - performance.now();
      if (leftMs <= 0) break;
      batch.push(...(await receive(mapping.batchSize - batch.length, leftMs)));
    }
    return batch;
  };

  const poll = async () => {
    while (!stopping.signal.aborted) {
      if (batches.size >= concurrency) await Promise.race(batches);
      const messages = await collect();
      if (messages.length === 0) continue;
      const batch = process(messages).catch((error: Error) => log(`${mapping.function}: ${error.message}`));
      batches.add(batch);
      batch.then(() => batches.delete(batch));
    }
  };

  const process = async (messages: Message[]) => {
    const event = { Records: messages.map((message) => recordOf(message, options.queueArn)) };
    const result = await options.lambda.invoke(mapping.function, event);
    if (!result.ok) throw new Error(`the batch failed: ${result.payload}`);
    const ids = messages.flatMap(({ MessageId }) => MessageId ?? []);
    const failed = mapping.reportBatchItemFailures ? failedItems(result.payload, ids) : new Set<string>();
    await remove(messages.filter(({ MessageId }) => MessageId !== undefined && !failed.has(MessageId)));
  };

  const remove = async (messages: Message[]) => {
    for (let start = 0; start < messages.length; start += SQS_BATCH_SIZE) {
      const Entries = messages
        .slice(start, start + SQS_BATCH_SIZE)
        .map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
      const { Failed = [] } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
      for (const { Message } of Failed) log(`${mapping.function}: a message was not deleted: ${Message}`);
    }
  };

  const polling = (async () => {
    while (!stopping.signal.aborted) {
      await poll().catch(async (error: Error) => {
        if (stopping.signal.aborted) return;
        log(`${mapping.function}: cannot receive from ${queueUrl}: ${error.message}`);
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
      });
    }
  })();

  return {
    /** Takes no more messages and waits for the batches that run. */
    async stop() {
      stopping.abort();
      await polling;
      await Promise.all(batches);
      sqs.destroy();
    },
  };
}

/** Lambda refuses such a mapping when it is made. */
async function checkVisibility(sqs: SQSClient, { mapping, queueUrl, functionTimeoutSeconds }: EventSourceOptions) {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["VisibilityTimeout"] }),
  );
  const visibilitySeconds = Number(Attributes?.VisibilityTimeout);
  if (visibilitySeconds >= functionTimeoutSeconds) return;
  throw new Error(
    `${mapping.queue}: Queue visibility timeout: ${visibilitySeconds} seconds is less than Function timeout: ${functionTimeoutSeconds} seconds`,
  );
}
