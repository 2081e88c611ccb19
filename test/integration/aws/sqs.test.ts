import { setTimeout as sleep } from "node:timers/promises";
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Principal } from "../../../packages/local/src/aws/iam.ts";
import { startSqs } from "../../../packages/local/src/aws/sqs.ts";
import type { QueueSpec } from "../../../packages/local/src/manifest.ts";
import {
  account,
  allow,
  credentialsOf,
  developer,
  functionPrincipal,
  principalsOf,
  queueSpec,
  region,
  temporaryDir,
} from "./fixtures.ts";

const consumer = functionPrincipal("consumer", [
  allow(["sqs:ReceiveMessage", "sqs:DeleteMessage"], [`arn:aws:sqs:${region}:${account}:jobs`]),
]);

async function startQueues(overrides: Partial<QueueSpec> = {}, dir?: string) {
  const queues = { Jobs: queueSpec("jobs", overrides), Dead: queueSpec("jobs-dlq") };
  const sqs = await startSqs({
    dir: dir ?? (await temporaryDir()),
    principals: principalsOf(consumer),
    queues,
    region,
    account,
  });
  let stopped = false;
  const stop = async () => {
    if (!stopped) await sqs.stop();
    stopped = true;
  };
  onTestFinished(stop);
  const clientOf = (principal: Principal) => {
    const client = new SQSClient({
      endpoint: sqs.endpoint,
      region,
      credentials: credentialsOf(principal),
      maxAttempts: 1,
    });
    onTestFinished(() => client.destroy());
    return client;
  };
  const client = clientOf(developer);
  const QueueUrl = sqs.queueUrl("jobs");
  return {
    ...sqs,
    stop,
    client,
    clientOf,
    QueueUrl,
    send: (MessageBody: string) => client.send(new SendMessageCommand({ QueueUrl, MessageBody })),
    async receive(options: Partial<ReceiveMessageCommandInput> = {}) {
      const input = { QueueUrl, MessageSystemAttributeNames: ["All" as const], ...options };
      return (await client.send(new ReceiveMessageCommand(input))).Messages ?? [];
    },
  };
}

describe("a message", () => {
  test("arrives with its body, attributes and counts, and is gone once deleted", async () => {
    const { client, QueueUrl, receive } = await startQueues();
    const MessageAttributes = {
      kind: { DataType: "String", StringValue: "vision" },
      raw: { DataType: "Binary", BinaryValue: new Uint8Array([1, 2]) },
    };
    const sent = await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "hi ✓", MessageAttributes }));
    const [message] = await receive({ MessageAttributeNames: ["All"] });
    expect(message).toMatchObject({ MessageId: sent.MessageId, Body: "hi ✓", MessageAttributes });
    expect(message?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
    expect(message?.Attributes).toMatchObject({ ApproximateReceiveCount: "1" });
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
    expect(await receive({ VisibilityTimeout: 0 })).toEqual([]);
  });

  test("is hidden from others while in flight, and comes back when its visibility ends", async () => {
    const { send, receive } = await startQueues({ visibilityTimeoutSeconds: 1 });
    await send("once");
    expect(await receive()).toHaveLength(1);
    expect(await receive()).toHaveLength(0);
    const [again] = await receive({ WaitTimeSeconds: 5 });
    expect(again).toMatchObject({ Body: "once", Attributes: { ApproximateReceiveCount: "2" } });
  });

  test("comes back at once when its visibility is set to 0", async () => {
    const { client, QueueUrl, send, receive } = await startQueues();
    await send("again");
    const [message] = await receive();
    const { ReceiptHandle } = message ?? {};
    await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    expect(await receive()).toHaveLength(1);
    await expect(
      client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 })),
    ).rejects.toMatchObject({ name: "MessageNotInflight" });
  });

  test("goes to the dead-letter queue after maxReceiveCount receives, naming where it came from", async () => {
    const { receive, send, queueUrl } = await startQueues({ deadLetter: { queue: "Dead", maxReceiveCount: 2 } });
    await send("poison");
    expect(await receive({ VisibilityTimeout: 0 })).toHaveLength(1);
    expect(await receive({ VisibilityTimeout: 0 })).toHaveLength(1);
    expect(await receive()).toHaveLength(0);
    const [dead] = await receive({ QueueUrl: queueUrl("jobs-dlq") });
    expect(dead).toMatchObject({
      Body: "poison",
      Attributes: { DeadLetterQueueSourceArn: `arn:aws:sqs:${region}:${account}:jobs` },
    });
  });

  test("can be redriven from the dead-letter queue to its source", async () => {
    const { client, receive, send } = await startQueues({ deadLetter: { queue: "Dead", maxReceiveCount: 1 } });
    await send("second chance");
    await receive({ VisibilityTimeout: 0 });
    await receive();
    await client.send(new StartMessageMoveTaskCommand({ SourceArn: `arn:aws:sqs:${region}:${account}:jobs-dlq` }));
    expect(await receive()).toMatchObject([{ Body: "second chance", Attributes: { ApproximateReceiveCount: "1" } }]);
  });

  test("that waits behind a delay is not received before it ends", async () => {
    const { client, QueueUrl, receive } = await startQueues();
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: "later", DelaySeconds: 1 }));
    expect(await receive()).toEqual([]);
    expect(await receive({ WaitTimeSeconds: 5 })).toHaveLength(1);
  });

  test("is refused when it is empty, too long or holds what XML cannot", async () => {
    const { send } = await startQueues();
    await expect(send("")).rejects.toMatchObject({ name: "MissingParameter" });
    await expect(send("x".repeat(1_048_577))).rejects.toMatchObject({ name: "InvalidParameterValue" });
    await expect(send("\u0000")).rejects.toMatchObject({ name: "InvalidMessageContents" });
  });
});

describe("a long poll", () => {
  test("ends as soon as a message is sent", async () => {
    const { send, receive } = await startQueues();
    const polling = receive({ WaitTimeSeconds: 20 });
    await sleep(100);
    await send("awaited");
    expect(await polling).toMatchObject([{ Body: "awaited" }]);
  });

  test("whose client has gone takes no message with it", async () => {
    const { client, QueueUrl, send, receive } = await startQueues();
    const leaving = new AbortController();
    const polling = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
      abortSignal: leaving.signal,
    });
    await sleep(100);
    leaving.abort();
    await expect(polling).rejects.toMatchObject({ name: "AbortError" });
    await sleep(100);
    await send("for the next");
    expect(await receive({ WaitTimeSeconds: 2 })).toHaveLength(1);
  });
});

describe("a batch", () => {
  test("sends, and deletes with an outcome for each entry", async () => {
    const { client, QueueUrl, receive } = await startQueues();
    const Entries = ["a", "b", "c"].map((Id) => ({ Id, MessageBody: Id }));
    const { Successful } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    expect(Successful?.map(({ Id }) => Id)).toEqual(["a", "b", "c"]);
    const messages = await receive({ MaxNumberOfMessages: 10 });
    expect(messages.map(({ Body }) => Body)).toEqual(["a", "b", "c"]);
    const outcome = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: "good", ReceiptHandle: messages[0]?.ReceiptHandle },
          { Id: "bad", ReceiptHandle: "nonsense" },
        ],
      }),
    );
    expect(outcome.Successful).toEqual([{ Id: "good" }]);
    expect(outcome.Failed).toMatchObject([{ Id: "bad", Code: "ReceiptHandleIsInvalid", SenderFault: true }]);
  });

  test("with the same id twice, none or more than ten entries is refused whole", async () => {
    const { client, QueueUrl } = await startQueues();
    const send = (ids: string[]) =>
      client.send(new SendMessageBatchCommand({ QueueUrl, Entries: ids.map((Id) => ({ Id, MessageBody: "x" })) }));
    await expect(send(["a", "a"])).rejects.toMatchObject({ name: "BatchEntryIdsNotDistinct" });
    await expect(send([])).rejects.toMatchObject({ name: "EmptyBatchRequest" });
    await expect(send(Array.from({ length: 11 }, (_, n) => `m${n}`))).rejects.toMatchObject({
      name: "TooManyEntriesInBatchRequest",
    });
  });
});

describe("queues", () => {
  test("are found by name and list, under URLs that lead to the gate", async () => {
    const { client, endpoint, QueueUrl, queueUrl } = await startQueues();
    expect(QueueUrl).toBe(`${endpoint}/${account}/jobs`);
    expect((await client.send(new GetQueueUrlCommand({ QueueName: "jobs" }))).QueueUrl).toBe(QueueUrl);
    const { QueueUrls } = await client.send(new ListQueuesCommand({ QueueNamePrefix: "jobs" }));
    expect(QueueUrls).toEqual([QueueUrl, queueUrl("jobs-dlq")]);
    await expect(client.send(new GetQueueUrlCommand({ QueueName: "absent" }))).rejects.toBeInstanceOf(
      QueueDoesNotExist,
    );
  });

  test("have the manifest's attributes and count their messages", async () => {
    const { client, QueueUrl, send, receive } = await startQueues({
      visibilityTimeoutSeconds: 90,
      retentionSeconds: 600,
      deadLetter: { queue: "Dead", maxReceiveCount: 5 },
    });
    await send("in flight");
    await receive();
    await send("visible");
    const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
    expect(Attributes).toMatchObject({
      QueueArn: `arn:aws:sqs:${region}:${account}:jobs`,
      VisibilityTimeout: "90",
      MessageRetentionPeriod: "600",
      ApproximateNumberOfMessages: "1",
      ApproximateNumberOfMessagesNotVisible: "1",
    });
    expect(JSON.parse(Attributes?.RedrivePolicy ?? "")).toEqual({
      deadLetterTargetArn: `arn:aws:sqs:${region}:${account}:jobs-dlq`,
      maxReceiveCount: 5,
    });
  });

  test("can be made, set and purged; a value out of range is refused", async () => {
    const { client, QueueUrl, send, receive } = await startQueues();
    const made = await client.send(
      new CreateQueueCommand({ QueueName: "own", Attributes: { VisibilityTimeout: "7" } }),
    );
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: made.QueueUrl, AttributeNames: ["VisibilityTimeout"] }),
    );
    expect(Attributes).toEqual({ VisibilityTimeout: "7" });
    await expect(
      client.send(new CreateQueueCommand({ QueueName: "own", Attributes: { VisibilityTimeout: "8" } })),
    ).rejects.toMatchObject({ name: "QueueNameExists" });
    const set = new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: "43201" } });
    await expect(client.send(set)).rejects.toMatchObject({ name: "InvalidAttributeValue" });
    await send("purged");
    await client.send(new PurgeQueueCommand({ QueueUrl }));
    expect(await receive()).toEqual([]);
  });

  test("keep their messages over a restart, those in flight until their visibility ends", async () => {
    const dir = await temporaryDir();
    const before = await startQueues({ visibilityTimeoutSeconds: 2 }, dir);
    await before.send("in flight");
    await before.receive();
    await before.send("waiting");
    await before.stop();

    const after = await startQueues({ visibilityTimeoutSeconds: 2 }, dir);
    expect(await after.receive({ MaxNumberOfMessages: 10 })).toMatchObject([{ Body: "waiting" }]);
    expect(await after.receive({ WaitTimeSeconds: 5 })).toMatchObject([
      { Body: "in flight", Attributes: { ApproximateReceiveCount: "2" } },
    ]);
  });
});

describe("a policy", () => {
  test("allows the actions that it names and their batches, and refuses others as SQS does", async () => {
    const { clientOf, QueueUrl, queueUrl, send } = await startQueues();
    const client = clientOf(consumer);
    await send("mine");
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
    const Entries = [{ Id: "m", ReceiptHandle: Messages?.[0]?.ReceiptHandle }];
    await expect(client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))).resolves.toMatchObject({
      Successful: [{ Id: "m" }],
    });
    await expect(client.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }))).rejects.toMatchObject({
      name: "AccessDenied",
      message:
        `User: arn:aws:sts::${account}:assumed-role/consumer/consumer is not authorized to perform: sqs:sendmessage on ` +
        `resource: arn:aws:sqs:${region}:${account}:jobs because no identity-based policy allows the sqs:sendmessage action`,
      $metadata: { httpStatusCode: 403 },
    });
    await expect(client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl("jobs-dlq") }))).rejects.toThrow(
      "jobs-dlq",
    );
  });

  test("is not reached by a wrong secret", async () => {
    const { clientOf } = await startQueues();
    const impostor = clientOf({ ...consumer, secretAccessKey: "guessed" });
    await expect(impostor.send(new ListQueuesCommand({}))).rejects.toMatchObject({ name: "InvalidSignatureException" });
  });
});
