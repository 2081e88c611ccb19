import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createCapacity, type Units } from "../../../bench/cost/capacity.ts";
import { startDynamoDB } from "../../../packages/local/src/aws/dynamodb.ts";
import type { Meter } from "../../../packages/local/src/meter.ts";
import {
  account,
  allow,
  credentialsOf,
  developer,
  functionPrincipal,
  principalsOf,
  region,
  tableSpec,
} from "../aws/fixtures.ts";

const table = tableSpec();
const writer = functionPrincipal("writer", [allow(["dynamodb:*"], [table.arn, `${table.arn}/index/*`])]);

let dir: string;
let dynamodb: Awaited<ReturnType<typeof startDynamoDB>>;
let clients: DynamoDBClient[];
let send: DynamoDBDocumentClient["send"];
let last: { billed: Units; reported: unknown };

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "tollgate-capacity-"));
  const unitsOf = createCapacity(
    async (Key) => (await reader.send(new GetItemCommand({ TableName: table.name, Key }))).Item,
  );
  const meter: Meter = {
    async answered({ principal, operation }, input, answer) {
      if (principal === writer.name) {
        const { ConsumedCapacity } = answer as { ConsumedCapacity?: unknown };
        last = { billed: await unitsOf(operation, input, answer), reported: ConsumedCapacity };
      }
    },
    reported() {},
  };
  dynamodb = await startDynamoDB({ dir, principals: principalsOf(writer), tables: [table], region, account, meter });
  const clientOf = (principal: typeof developer) =>
    new DynamoDBClient({ endpoint: dynamodb.endpoint, region, credentials: credentialsOf(principal), maxAttempts: 1 });
  const reader = clientOf(developer);
  const writing = clientOf(writer);
  clients = [reader, writing];
  const document = DynamoDBDocumentClient.from(writing);
  send = document.send.bind(document);
});

afterAll(async () => {
  for (const client of clients) client.destroy();
  await dynamodb.stop();
  rmSync(dir, { recursive: true, force: true });
});

const TableName = table.name;
/** With its key and names, a little over so many KB. */
const padded = (kb: number) => "x".repeat(kb * 1024);
const Key = (pk: string) => ({ pk, sk: "1" });
const put = (pk: string, more: object) => send(new PutCommand({ TableName, Item: { ...Key(pk), ...more } }));
const set = (pk: string, name: string, value: unknown) => ({
  TableName,
  Key: Key(pk),
  UpdateExpression: "SET #name = :value",
  ExpressionAttributeNames: { "#name": name },
  ExpressionAttributeValues: { ":value": value },
});
const transact = (...updates: ReturnType<typeof set>[]) =>
  send(new TransactWriteCommand({ TransactItems: updates.map((Update) => ({ Update })) }));

test("a write takes a unit for each KB begun of the larger item, before or after, as DynamoDB Local says", async () => {
  await put("sized", { text: padded(2) });
  expect(last).toMatchObject({ billed: { write: 3, read: 0 }, reported: { CapacityUnits: 3 } });
  await send(new UpdateCommand(set("sized", "text", "short")));
  expect(last).toMatchObject({ billed: { write: 3 }, reported: { CapacityUnits: 3 } });
  await send(new UpdateCommand(set("sized", "text", "shorter")));
  expect(last).toMatchObject({ billed: { write: 1 }, reported: { CapacityUnits: 1 } });
  await send(new DeleteCommand({ TableName, Key: Key("sized") }));
  expect(last).toMatchObject({ billed: { write: 1 }, reported: { CapacityUnits: 1 } });
});

test("an index takes a unit when an entry comes, and two when it moves, as DynamoDB Local says", async () => {
  await put("indexed", { owner: "acme" });
  expect(last).toMatchObject({ billed: { write: 1 + 1 }, reported: { CapacityUnits: 2 } });
  await send(new UpdateCommand(set("indexed", "owner", "other")));
  expect(last).toMatchObject({ billed: { write: 1 + 2 }, reported: { CapacityUnits: 3 } });
});

test("in a transaction each item takes twice as much, where DynamoDB Local adds the items up before it rounds", async () => {
  await transact(set("a", "n", 1), set("b", "n", 1), set("c", "n", 1));
  expect(last).toMatchObject({ billed: { write: 3 * 2 }, reported: [{ CapacityUnits: 2 }] });
  await transact(set("a", "text", padded(1)), set("b", "n", 2));
  expect(last.billed).toEqual({ write: 2 * 2 + 2, read: 0 });
});

test("in a transaction an index takes no more than outside, where DynamoDB Local counts it twice", async () => {
  await transact(set("d", "owner", "acme"));
  expect(last).toMatchObject({
    billed: { write: 2 + 1 },
    reported: [{ GlobalSecondaryIndexes: { byOwner: { CapacityUnits: 2 } } }],
  });
});

test("a write that is refused takes what the item that is there would, where DynamoDB Local says nothing", async () => {
  await put("there", { text: padded(1) });
  const refused = send(
    new PutCommand({ TableName, Item: Key("there"), ConditionExpression: "attribute_not_exists(pk)" }),
  );
  await expect(refused).rejects.toThrow("The conditional request failed");
  expect(last).toEqual({ billed: { write: 2, read: 0 }, reported: undefined });
});

test("a read takes a unit for each 4 KB, half of that when it may be late, and half a unit when there is nothing", async () => {
  await put("read", { text: padded(5) });
  await send(new GetCommand({ TableName, Key: Key("read"), ConsistentRead: true }));
  expect(last.billed).toEqual({ write: 0, read: 2 });
  await send(new GetCommand({ TableName, Key: Key("read") }));
  expect(last.billed).toEqual({ write: 0, read: 1 });
  await send(
    new QueryCommand({
      TableName,
      IndexName: "byOwner",
      KeyConditionExpression: "#owner = :nobody",
      ExpressionAttributeNames: { "#owner": "owner" },
      ExpressionAttributeValues: { ":nobody": "nobody" },
    }),
  );
  expect(last).toMatchObject({ billed: { write: 0, read: 0.5 }, reported: { CapacityUnits: 0 } });
});
