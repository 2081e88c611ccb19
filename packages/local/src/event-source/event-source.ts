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
 * Polls a queue and invokes the function with what comes, as an event source mapping does: under load by as many pollers as it
 * may run batches at a time, so that none waits for another's poll; by one while the queue is empty. Messages that a batch
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
  const pollers = new Set<Promise<void>>();
  const removals = new Set<Promise<void>>();
  let polling = 0;

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

  /** Nothing when the queue stays empty, or when it cannot be reached. */
  const poll = async (): Promise<Message[]> => {
    polling += 1;
    try {
      return await collect();
    } catch (error) {
      if (stopping.signal.aborted) return [];
      log(`${mapping.function}: cannot receive from ${queueUrl}: ${(error as Error).message}`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
      return [];
    } finally {
      polling -= 1;
    }
  };

  /** Takes batch after batch, one at a time. Of those that find nothing, one goes on looking. */
  const work = async () => {
    while (!stopping.signal.aborted) {
      const messages = await poll();
      if (messages.length === 0) {
        if (polling > 0) return;
        continue;
      }
      addPoller();
      await process(messages).catch((error: Error) => log(`${mapping.function}: ${error.message}`));
    }
  };

  /** A poller beside those that are at work on a batch, as long as there may be more at work. */
  const addPoller = () => {
    if (polling > 0 || pollers.size >= concurrency || stopping.signal.aborted) return;
    const poller = work();
    pollers.add(poller);
    poller.then(() => {
      pollers.delete(poller);
      addPoller();
    });
  };

  const process = async (messages: Message[]) => {
    const event = { Records: messages.map((message) => recordOf(message, options.queueArn)) };
    const result = await options.lambda.invoke(mapping.function, event);
    if (!result.ok) throw new Error(`the batch failed: ${result.payload}`);
    const ids = messages.flatMap(({ MessageId }) => MessageId ?? []);
    const failed = mapping.reportBatchItemFailures ? failedItems(result.payload, ids) : new Set<string>();
    const removal = remove(messages.filter(({ MessageId }) => MessageId !== undefined && !failed.has(MessageId))).catch(
      (error: Error) => log(`${mapping.function}: messages were not deleted: ${error.message}`),
    );
    // The concurrency is that of the function, whose next batch need not wait for this.
    removals.add(removal);
    removal.then(() => removals.delete(removal));
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

  addPoller();
  return {
    /** Takes no more messages and waits for the batches that run. */
    async stop() {
      stopping.abort();
      await Promise.all(pollers);
      await Promise.all(removals);
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
