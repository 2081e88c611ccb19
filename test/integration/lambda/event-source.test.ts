import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Faults } from "../../../packages/local/src/aws/fault.ts";
import { createPrincipals } from "../../../packages/local/src/aws/iam.ts";
import { startSqs } from "../../../packages/local/src/aws/sqs.ts";
import { failedItems } from "../../../packages/local/src/event-source/batch-response.ts";
import { startEventSource } from "../../../packages/local/src/event-source/event-source.ts";
import type { InvokeResult } from "../../../packages/local/src/lambda/lambda.ts";
import type { EventSourceMappingSpec } from "../../../packages/local/src/manifest.ts";
import { REGION, startFunctions } from "./functions.ts";

type Batch = { Records: { messageId: string; body: string; [name: string]: unknown }[] };

let dir: string;
let server: Awaited<ReturnType<typeof startSqs>>;
let sqs: SQSClient;
let client: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
const cleanUp: (() => Promise<unknown>)[] = [];
/** What a call of SQS waits for before it is carried out. */
let before: (operation: string) => Promise<void> | void = () => {};

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "event-source-"));
  const credentials = { accessKeyId: "AKIATEST", secretAccessKey: "secret" };
  const principals = createPrincipals();
  principals.add({ ...credentials, name: "test", policy: "administrator" });
  const strike: Faults["strike"] = async ({ operation }) => {
    await before(operation);
    return null;
  };
  const faults = { strike, end: () => {} };
  server = await startSqs({ dir, principals, queues: {}, region: REGION, account: "000000000000", faults });
  client = { endpoint: server.endpoint, region: REGION, credentials };
  sqs = new SQSClient(client);
});
afterAll(async () => {
  sqs.destroy();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});
afterEach(async () => {
  before = () => {};
  for (const stop of cleanUp.splice(0).reverse()) await stop();
});

let queues = 0;
async function createQueue(visibilityTimeoutSeconds = 30) {
  queues += 1;
  const Attributes = { VisibilityTimeout: String(visibilityTimeoutSeconds) };
  const { QueueUrl: url = "" } = await sqs.send(new CreateQueueCommand({ QueueName: `queue-${queues}`, Attributes }));
  const send = (...bodies: string[]) =>
    sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: url,
        Entries: bodies.map((MessageBody, i) => ({ Id: String(i), MessageBody })),
      }),
    );
  /** Messages that are neither deleted nor delayed: waiting, and in somebody's hands. */
  const count = async () => {
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }));
    return {
      waiting: Number(Attributes?.ApproximateNumberOfMessages),
      inFlight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible),
    };
  };
  return { url, arn: `arn:aws:sqs:${REGION}:000000000000:queue-${queues}`, send, count };
}

/** Starts a mapping before a function that this test plays itself. */
async function startMapping(
  queue: Awaited<ReturnType<typeof createQueue>>,
  handler: (batch: Batch) => Promise<InvokeResult>,
  options: Partial<EventSourceMappingSpec> = {},
) {
  const log: string[] = [];
  const source = await startEventSource({
    functionTimeoutSeconds: 1,
    mapping: {
      queue: "Queue",
      function: "function",
      batchSize: 10,
      batchWindowSeconds: 0,
      maximumConcurrency: 2,
      reportBatchItemFailures: true,
      ...options,
    },
    queueUrl: queue.url,
    queueArn: queue.arn,
    client,
    lambda: { invoke: (_name, event) => handler(event as Batch) },
    log: (line) => log.push(line),
  });
  cleanUp.push(source.stop);
  return { ...source, log };
}

const succeed = (value: unknown = null): InvokeResult => ({ ok: true, payload: JSON.stringify(value) });

const until = (condition: () => boolean | Promise<boolean>) =>
  vi.waitUntil(condition, { timeout: 30_000, interval: 20 });

const isEmpty = async (queue: Awaited<ReturnType<typeof createQueue>>) => {
  const { waiting, inFlight } = await queue.count();
  return waiting + inFlight === 0;
};

describe("an event source mapping", () => {
  it("invokes the function with records as Lambda writes them, and deletes what succeeded", async () => {
    const queue = await createQueue();
    const received = Promise.withResolvers<Batch>();
    await startMapping(queue, async (batch) => {
      received.resolve(batch);
      return succeed();
    });
    const { MessageId, MD5OfMessageBody } = await sqs.send(
      new SendMessageCommand({
        QueueUrl: queue.url,
        MessageBody: '{"key":"ümlaut"}',
        MessageAttributes: {
          kind: { DataType: "String", StringValue: "test" },
          bytes: { DataType: "Binary", BinaryValue: new Uint8Array([1, 2, 3]) },
        },
      }),
    );
    const { Records } = await received.promise;
    expect(Records).toEqual([
      {
        messageId: MessageId,
        receiptHandle: expect.any(String),
        body: '{"key":"ümlaut"}',
        attributes: expect.objectContaining({
          ApproximateReceiveCount: "1",
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: expect.any(String),
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
        }),
        messageAttributes: {
          kind: { stringValue: "test", stringListValues: [], binaryListValues: [], dataType: "String" },
          bytes: { binaryValue: "AQID", stringListValues: [], binaryListValues: [], dataType: "Binary" },
        },
        md5OfBody: MD5OfMessageBody,
        md5OfMessageAttributes: expect.any(String),
        eventSource: "aws:sqs",
        eventSourceARN: queue.arn,
        awsRegion: REGION,
      },
    ]);
    await until(() => isEmpty(queue));
  });

  it("deletes all but the messages reported as failed, which come again when their visibility ends", async () => {
    const queue = await createQueue(1);
    const seen: string[] = [];
    await startMapping(queue, async ({ Records }) => {
      const failed = Records.filter(({ body }) => body === "bad" && !seen.includes("bad"));
      seen.push(...Records.map(({ body }) => body));
      return succeed({ batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) });
    });
    await queue.send("good", "bad", "fine");
    await until(() => isEmpty(queue));
    expect(seen.toSorted()).toEqual(["bad", "bad", "fine", "good"]);
  });

  it("leaves the whole batch in the queue when the function fails", async () => {
    const queue = await createQueue();
    const payload = JSON.stringify({ errorType: "Error", errorMessage: "boom" });
    const { log } = await startMapping(queue, async () => ({ ok: false, functionError: "Unhandled", payload }));
    await queue.send("one", "two");
    await until(() => log.length > 0);
    expect(log[0]).toContain("boom");
    expect(await queue.count()).toEqual({ waiting: 0, inFlight: 2 });
  });

  it("leaves the whole batch in the queue when what is reported names no message of it", async () => {
    const queue = await createQueue();
    const { log } = await startMapping(queue, async () => succeed({ batchItemFailures: [{ itemIdentifier: null }] }));
    await queue.send("one", "two");
    await until(() => log.length > 0);
    expect(await queue.count()).toEqual({ waiting: 0, inFlight: 2 });
  });

  it("does not read what the function reports when it is not switched on", async () => {
    const queue = await createQueue();
    await startMapping(
      queue,
      async ({ Records }) =>
        succeed({ batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })) }),
      { reportBatchItemFailures: false },
    );
    await queue.send("one", "two");
    await until(() => isEmpty(queue));
  });

  it("never runs more batches than its maximum concurrency, and gets everything done", async () => {
    const queue = await createQueue();
    const release = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    const bodies: string[] = [];
    await startMapping(
      queue,
      async ({ Records }) => {
        running += 1;
        most = Math.max(most, running);
        if (running === 3) release.resolve();
        if (bodies.length < 3) await release.promise;
        bodies.push(...Records.map(({ body }) => body));
        running -= 1;
        return succeed();
      },
      { batchSize: 1, maximumConcurrency: 3 },
    );
    const sent = Array.from({ length: 10 }, (_, i) => String(i));
    await queue.send(...sent);
    await until(() => isEmpty(queue));
    expect(most).toBe(3);
    expect(bodies.toSorted()).toEqual(sent);
  });

  it("polls for as many batches at once as are free, so that none waits for another's poll", async () => {
    const queue = await createQueue();
    const atWork = Promise.withResolvers<void>();
    const bothPoll = Promise.withResolvers<void>();
    let batches = 0;
    let polls = 0;
    await startMapping(
      queue,
      async () => {
        batches += 1;
        if (batches === 2) {
          // From here on no poll is answered before there are two.
          before = async (operation) => {
            if (operation !== "ReceiveMessage") return;
            polls += 1;
            if (polls === 2) bothPoll.resolve();
            await bothPoll.promise;
          };
          atWork.resolve();
        }
        if (batches <= 2) await atWork.promise;
        return succeed();
      },
      { batchSize: 1 },
    );
    await queue.send("1", "2", "3", "4");
    await until(() => isEmpty(queue));
    expect(batches).toBe(4);
  });

  it("goes on to the next batch while the messages of the last are being deleted", async () => {
    const queue = await createQueue();
    const both = Promise.withResolvers<void>();
    let batches = 0;
    before = (operation) => (operation === "DeleteMessageBatch" ? both.promise : undefined);
    await startMapping(
      queue,
      async () => {
        batches += 1;
        if (batches === 2) both.resolve();
        return succeed();
      },
      { batchSize: 1, maximumConcurrency: 1 },
    );
    await queue.send("one", "two");
    await until(() => isEmpty(queue));
    expect(batches).toBe(2);
  });

  it("has deleted what succeeded when it has stopped", async () => {
    const queue = await createQueue();
    const deleting = Promise.withResolvers<void>();
    let deleted = false;
    before = async (operation) => {
      if (operation !== "DeleteMessageBatch") return;
      deleting.resolve();
      await new Promise((resolve) => setTimeout(resolve, 200));
      deleted = true;
    };
    const source = await startMapping(queue, async () => succeed());
    await queue.send("one");
    await deleting.promise;
    await source.stop();
    expect(deleted).toBe(true);
    expect(await isEmpty(queue)).toBe(true);
  });

  it("fills a batch beyond SQS's ten from what comes within its window", async () => {
    const queue = await createQueue();
    const sizes: number[] = [];
    const bodies = Array.from({ length: 10 }, (_, i) => String(i));
    await queue.send(...bodies);
    await queue.send(...bodies.slice(0, 5));
    await startMapping(
      queue,
      async ({ Records }) => {
        sizes.push(Records.length);
        return succeed();
      },
      { batchSize: 15, batchWindowSeconds: 10 },
    );
    await until(() => isEmpty(queue));
    expect(sizes).toEqual([15]);
  });

  it("waits for its running batches when it stops, and takes no more messages", async () => {
    const queue = await createQueue();
    const begun = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const bodies: string[] = [];
    const source = await startMapping(queue, async ({ Records }) => {
      begun.resolve();
      await release.promise;
      bodies.push(...Records.map(({ body }) => body));
      return succeed();
    });
    await queue.send("one");
    await begun.promise;
    const stopped = source.stop();
    await queue.send("two");
    release.resolve();
    await stopped;
    expect(bodies).toEqual(["one"]);
    const { waiting, inFlight } = await queue.count();
    expect(waiting + inFlight).toBe(1);
  });

  it("goes on after the queue could not be reached", async () => {
    const queue = await createQueue();
    const received = Promise.withResolvers<void>();
    const { log } = await startMapping(queue, async () => {
      received.resolve();
      return succeed();
    });
    const QueueName = queue.url.split("/").at(-1);
    await sqs.send(new DeleteQueueCommand({ QueueUrl: queue.url }));
    await until(() => log.length > 0);
    expect(log[0]).toContain("cannot receive from");
    await sqs.send(new CreateQueueCommand({ QueueName }));
    await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: "at last" }));
    await received.promise;
  });

  it("refuses a queue that would deliver a message again while the function is at work on it", async () => {
    const queue = await createQueue(0);
    await expect(startMapping(queue, async () => succeed())).rejects.toThrow(
      "visibility timeout: 0 seconds is less than Function timeout: 1 seconds",
    );
  });

  it("runs a real function", async () => {
    const queue = await createQueue();
    const lambda = await startFunctions({
      function: {
        source: `export const handler = async ({ Records }: any) => {
          console.log(Records.map(({ body }: any) => body).join());
          return { batchItemFailures: Records.filter(({ body }: any) => body === "bad")
            .map(({ messageId }: any) => ({ itemIdentifier: messageId })) };
        };`,
      },
    });
    cleanUp.push(lambda.stop);
    await startMapping(queue, (batch) => lambda.invoke("function", batch));
    await queue.send("good", "bad");
    const printed = () => lambda.lines.filter(({ source }) => source === "function").map(({ line }) => line);
    await until(() => ["good", "bad"].every((body) => printed().join().includes(body)));
    await until(async () => (await queue.count()).inFlight === 1);
    expect((await queue.count()).waiting).toBe(0);
  });
});

describe("a batch response", () => {
  const ids = ["a", "b"];

  it.each(["null", "{}", '""', '{"batchItemFailures":null}', '{"batchItemFailures":[]}'])(
    "that is %s says that all succeeded",
    (payload) => {
      expect(failedItems(payload, ids)).toEqual(new Set());
    },
  );

  it("names the messages that failed, each once", () => {
    const payload = JSON.stringify({ batchItemFailures: [{ itemIdentifier: "b" }, { itemIdentifier: "b" }] });
    expect(failedItems(payload, ids)).toEqual(new Set(["b"]));
  });

  it.each([
    '{"batchItemFailures":"a"}',
    '{"batchItemFailures":[{"itemIdentifier":null}]}',
    '{"batchItemFailures":[{"itemIdentifier":""}]}',
    '{"batchItemFailures":[{"messageId":"a"}]}',
    '{"batchItemFailures":["a"]}',
    '{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}',
  ])("that is %s fails the whole batch", (payload) => {
    expect(() => failedItems(payload, ids)).toThrow("the batch failed");
  });
});
