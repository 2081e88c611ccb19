import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { describe, expect, test } from "vitest";
import { account, deny, region, temporaryDir } from "./fixtures.ts";
import { consumer, startQueues } from "./sqs-fixtures.ts";

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
      maxMessageBytes: 2_048,
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
      MaximumMessageSize: "2048",
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

  test("of the queue itself denies what a role's policy allows", async () => {
    const policy = [{ ...deny(["sqs:ReceiveMessage"], ["*"]), principals: { "*": ["*"] } }];
    const { clientOf, QueueUrl } = await startQueues({ policy });
    await expect(clientOf(consumer).send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({
      name: "AccessDenied",
      message: expect.stringMatching(/sqs:receivemessage on .* with an explicit deny in a resource-based policy$/),
      $metadata: { httpStatusCode: 403 },
    });
  });

  test("is not reached by a wrong secret", async () => {
    const { clientOf } = await startQueues();
    const impostor = clientOf({ ...consumer, secretAccessKey: "guessed" });
    await expect(impostor.send(new ListQueuesCommand({}))).rejects.toMatchObject({ name: "InvalidSignatureException" });
  });
});
