import { setTimeout as sleep } from "node:timers/promises";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { describe, expect, test } from "vitest";
import { account, region } from "./fixtures.ts";
import { startQueues } from "./sqs-fixtures.ts";

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
    const { send } = await startQueues({ maxMessageBytes: 2_048 });
    await send("x".repeat(2_048));
    await expect(send("")).rejects.toMatchObject({ name: "MissingParameter" });
    await expect(send("x".repeat(2_049))).rejects.toMatchObject({ name: "InvalidParameterValue" });
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
