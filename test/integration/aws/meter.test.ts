import {
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { expect, onTestFinished, test } from "vitest";
import { startDynamoDB } from "../../../packages/local/src/aws/dynamodb.ts";
import type { Meter } from "../../../packages/local/src/meter.ts";
import { account, credentialsOf, developer, principalsOf, region, tableSpec, temporaryDir } from "./fixtures.ts";
import { bucket, startBucket } from "./s3-fixtures.ts";
import { startQueues } from "./sqs-fixtures.ts";

function recording() {
  const told: { operation: string; principal: string; input: unknown; answer: unknown }[] = [];
  const meter: Meter = {
    answered: ({ operation, principal }, input, answer) => void told.push({ operation, principal, input, answer }),
    reported() {},
  };
  return { told, meter };
}

const table = tableSpec();
const TableName = table.name;
const Item = { pk: { S: "a" }, sk: { S: "1" } };

async function startTable(meter: Meter) {
  const dir = await temporaryDir();
  const dynamodb = await startDynamoDB({ dir, principals: principalsOf(), tables: [table], region, account, meter });
  onTestFinished(() => dynamodb.stop());
  const credentials = credentialsOf(developer);
  const client = new DynamoDBClient({ endpoint: dynamodb.endpoint, region, credentials, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return client;
}

test("is told of DynamoDB's calls as they were asked, and what each consumed", async () => {
  const { told, meter } = recording();
  const client = await startTable(meter);
  await client.send(new PutItemCommand({ TableName, Item }));
  await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName, Item } }] }));
  const { Item: found } = await client.send(new GetItemCommand({ TableName, Key: Item }));

  expect(found).toEqual(Item);
  expect(told.map(({ operation }) => operation)).toEqual(["PutItem", "TransactWriteItems", "GetItem"]);
  expect(told[0]).toEqual({
    operation: "PutItem",
    principal: developer.name,
    input: { TableName, Item },
    answer: { ConsumedCapacity: expect.objectContaining({ CapacityUnits: 1 }) },
  });
});

test("is told of writes that DynamoDB refused, and their caller hears of it as always", async () => {
  const { told, meter } = recording();
  const client = await startTable(meter);
  const put = new PutItemCommand({ TableName, Item, ConditionExpression: "attribute_not_exists(pk)" });
  await client.send(put);
  await expect(client.send(put)).rejects.toMatchObject({ name: "ConditionalCheckFailedException" });
  expect(told.at(-1)?.answer).toMatchObject({ __type: expect.stringContaining("ConditionalCheckFailedException") });
});

test("leaves calls that consume nothing as they are", async () => {
  const client = await startTable(recording().meter);
  const { Table } = await client.send(new DescribeTableCommand({ TableName }));
  expect(Table?.TableName).toBe(TableName);
});

test("fails a call by failing", async () => {
  const client = await startTable({ ...recording().meter, answered: () => Promise.reject(new Error("out of paper")) });
  await expect(client.send(new PutItemCommand({ TableName, Item }))).rejects.toThrow("out of paper");
});

test("is told of SQS's calls, empty receives among them", async () => {
  const { told, meter } = recording();
  const { send, receive } = await startQueues({}, undefined, undefined, meter);
  await receive();
  await send("hello");
  await receive();

  expect(told.map(({ operation }) => operation)).toEqual(["ReceiveMessage", "SendMessage", "ReceiveMessage"]);
  expect(told.map(({ answer }) => (answer as { Messages?: unknown[] }).Messages?.length ?? 0)).toEqual([0, 0, 1]);
});

test("is told of S3's calls, and of a form by who signed it", async () => {
  const { told, meter } = recording();
  const { client } = await startBucket({ meter });
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: "a", Body: "x" }));
  const { url, fields } = await createPresignedPost(client, { Bucket: bucket, Key: "b" });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", new Blob(["x"]));
  expect((await fetch(url, { method: "POST", body: form })).ok).toBe(true);

  const call = (operation: string) => ({ operation, principal: developer.name, input: null, answer: null });
  await expect.poll(() => told).toEqual([call("putObject"), call("postObject")]);
});
