import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, GetItemCommand, PutItemCommand, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import { ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startDynamoDB } from "../../../packages/local/src/aws/dynamodb.ts";
import type { Fault, Faults } from "../../../packages/local/src/aws/fault.ts";
import { account, credentialsOf, developer, principalsOf, region, tableSpec } from "./fixtures.ts";
import { startObjects } from "./s3-fixtures.ts";
import { startQueues } from "./sqs-fixtures.ts";

const table = tableSpec();
let next: Fault | null = null;
const ended: string[] = [];
/** Strikes the next call, and that alone. */
const faults: Faults = {
  strike: () => {
    const fault = next;
    next = null;
    return fault;
  },
  end: ({ principal }, how) => void ended.push(`${principal}: ${how}`),
};
afterEach(() => {
  next = null;
  ended.length = 0;
});

describe("a fault of DynamoDB", () => {
  let dir: string;
  let dynamodb: Awaited<ReturnType<typeof startDynamoDB>>;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "tollgate-faults-"));
    dynamodb = await startDynamoDB({ dir, principals: principalsOf(), tables: [table], region, account, faults });
  });
  afterAll(async () => {
    await dynamodb.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  const client = () => {
    const made = new DynamoDBClient({
      endpoint: dynamodb.endpoint,
      region,
      credentials: credentialsOf(developer),
      maxAttempts: 1,
      requestHandler: { requestTimeout: 300, throwOnRequestTimeout: true },
    });
    onTestFinished(() => made.destroy());
    return made;
  };
  const Item = { pk: { S: "a" }, sk: { S: "1" } };
  const put = (pk: string) =>
    client().send(new PutItemCommand({ TableName: table.name, Item: { ...Item, pk: { S: pk } } }));
  const exists = async (pk: string) => {
    const Key = { ...Item, pk: { S: pk } };
    return (await client().send(new GetItemCommand({ TableName: table.name, Key }))).Item !== undefined;
  };

  test.each([
    ["throttled", { name: "ThrottlingException", $retryable: { throttling: true } }, false],
    ["conflict", { name: "TransactionConflictException" }, false],
    ["unavailable", { name: "InternalServerError", $fault: "server" }, false],
    ["hang", { name: "TimeoutError" }, false],
    ["reset", { code: "ECONNRESET" }, false],
    ["answer_lost", { code: "ECONNRESET" }, true],
    ["killed_before", { code: "ECONNRESET" }, false],
    ["killed_after", { code: "ECONNRESET" }, true],
    ["timed_out", { code: "ECONNRESET" }, false],
  ] as const)("%s is what the SDK knows it as, and takes effect or does not", async (kind, error, takesEffect) => {
    next = { kind };
    const failure = await put(kind).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject("$retryable" in error ? { name: error.name } : error);
    expect(await exists(kind)).toBe(takesEffect);
    const how = kind.startsWith("killed") ? "kill" : kind === "timed_out" ? "time-out" : null;
    expect(ended).toEqual(how ? [`${developer.name}: ${how}`] : []);
  });

  test("a transaction is cancelled with a reason for each of its items", async () => {
    next = { kind: "conflict" };
    const Put = (pk: string) => ({ Put: { TableName: table.name, Item: { ...Item, pk: { S: pk } } } });
    const transaction = new TransactWriteItemsCommand({ TransactItems: [Put("t1"), Put("t2")] });
    await expect(client().send(transaction)).rejects.toMatchObject({
      name: "TransactionCanceledException",
      CancellationReasons: [{ Code: "TransactionConflict" }, { Code: "None" }],
    });
    expect(await exists("t1")).toBe(false);
  });

  test("slow answers as always", async () => {
    next = { kind: "slow", ms: 20 };
    await put("slow");
    expect(await exists("slow")).toBe(true);
  });
});

describe("a fault of S3", () => {
  test.each([
    ["throttled", { name: "SlowDown", $metadata: { httpStatusCode: 503 } }],
    ["unavailable", { name: "InternalError", $metadata: { httpStatusCode: 500 } }],
    ["reset", { code: "ECONNRESET" }],
    ["answer_lost", { code: "ECONNRESET" }],
  ] as const)("%s is what the SDK knows it as", async (kind, error) => {
    const { put, get } = await startObjects({ faults });
    await put("a.txt", "kept");
    next = { kind };
    await expect(get("a.txt")).rejects.toMatchObject(error);
    expect((await get("a.txt")).text).toBe("kept");
  });
});

describe("a fault of SQS", () => {
  test("redelivered: a message comes again while the first to receive it is at work", async () => {
    const { client, QueueUrl, send } = await startQueues({}, undefined, faults);
    await send("twice");
    const receive = () => client.send(new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ["All"] }));
    next = { kind: "redelivered" };
    const first = await receive();
    const second = await receive();
    expect([first, second].map(({ Messages }) => Messages?.[0]?.Body)).toEqual(["twice", "twice"]);
    expect(second.Messages?.[0]?.Attributes?.ApproximateReceiveCount).toBe("2");
    expect((await receive()).Messages).toBeUndefined();
  });

  test("reordered: messages come in another order than they were sent in", async () => {
    const { client, QueueUrl, send } = await startQueues({}, undefined, faults);
    const sent = Array.from({ length: 10 }, (_, n) => String(n));
    for (const body of sent) await send(body);
    next = { kind: "reordered" };
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    const received = Messages.map(({ Body }) => Body);
    expect([...received].sort()).toEqual(sent);
    expect(received).not.toEqual(sent);
  });

  test.each([
    ["throttled", { name: "RequestThrottled" }],
    ["unavailable", { $metadata: { httpStatusCode: 503 } }],
  ] as const)("%s is what the SDK knows it as", async (kind, error) => {
    const { client, QueueUrl } = await startQueues({}, undefined, faults);
    next = { kind };
    await expect(client.send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }))).rejects.toMatchObject(error);
  });
});
