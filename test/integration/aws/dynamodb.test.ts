import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startDynamoDB } from "../../../packages/local/src/aws/dynamodb.ts";
import type { Principal } from "../../../packages/local/src/aws/iam.ts";
import {
  account,
  allow,
  credentialsOf,
  deny,
  developer,
  functionPrincipal,
  principalsOf,
  region,
  tableSpec,
  temporaryDir,
} from "./fixtures.ts";

const table = tableSpec();
const item = (pk: string) => ({ pk: { S: pk }, sk: { S: "1" }, owner: { S: "acme" } });
const key = (pk: string) => ({ pk: { S: pk }, sk: { S: "1" } });

const writer = functionPrincipal("writer", [allow(["dynamodb:PutItem", "dynamodb:UpdateItem"], [table.arn])]);
const reader = functionPrincipal("reader", [allow(["dynamodb:GetItem", "dynamodb:Query"], [table.arn])]);
const indexReader = functionPrincipal("indexreader", [allow(["dynamodb:Query"], [`${table.arn}/index/*`])]);
const batcher = functionPrincipal("batcher", [
  allow(["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"], [table.arn]),
]);
const careful = functionPrincipal("careful", [
  allow(["dynamodb:*"], [table.arn]),
  deny(["dynamodb:DeleteItem"], [table.arn]),
]);
/** May touch the items of acme, and the index entries of their owner acme. */
const acme = functionPrincipal("acme", [
  {
    ...allow(["dynamodb:*"], [table.arn, `${table.arn}/index/*`]),
    conditions: [{ test: "ForAllValues:StringEquals", variable: "dynamodb:LeadingKeys", values: ["acme"] }],
  },
]);
/** May touch the items of acme, by a condition that also wants a key to be named. */
const acmeOnly = functionPrincipal("acmeonly", [
  {
    ...allow(["dynamodb:*"], [table.arn, `${table.arn}/index/*`]),
    conditions: [
      { test: "ForAllValues:StringLike", variable: "dynamodb:LeadingKeys", values: ["acme", "acme#*"] },
      { test: "Null", variable: "dynamodb:LeadingKeys", values: ["false"] },
    ],
  },
]);

let dir: string;
let dynamodb: Awaited<ReturnType<typeof startDynamoDB>>;
const clients: DynamoDBClient[] = [];

function clientOf(
  principal: Principal,
  overrides: { endpoint?: string; secretAccessKey?: string; systemClockOffset?: number; region?: string } = {},
) {
  const {
    endpoint = dynamodb.endpoint,
    secretAccessKey = principal.secretAccessKey,
    systemClockOffset = 0,
  } = overrides;
  const client = new DynamoDBClient({
    endpoint,
    region: overrides.region ?? region,
    credentials: { ...credentialsOf(principal), secretAccessKey },
    systemClockOffset,
    maxAttempts: 1,
  });
  clients.push(client);
  return client;
}

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "tollgate-dynamodb-"));
  const principals = principalsOf(writer, reader, indexReader, batcher, careful, acme, acmeOnly);
  dynamodb = await startDynamoDB({ dir, principals, tables: [table], region, account });
});

afterAll(async () => {
  for (const client of clients) client.destroy();
  await dynamodb.stop();
  await rm(dir, { recursive: true, force: true });
});

describe("tables of the manifest", () => {
  test("are there with their keys, indexes and time to live", async () => {
    const client = clientOf(developer);
    const { Table } = await client.send(new DescribeTableCommand({ TableName: "ledger" }));
    expect(Table?.KeySchema).toEqual([
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "sk", KeyType: "RANGE" },
    ]);
    expect(Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName)).toEqual(["byOwner"]);
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: "ledger" }));
    expect(TimeToLiveDescription).toMatchObject({ AttributeName: "expires_at", TimeToLiveStatus: "ENABLED" });
  });

  test("keep their items over a restart, and gain and lose indexes as the manifest does", async () => {
    const dir = await temporaryDir();
    const start = (spec: typeof table) =>
      startDynamoDB({ dir, principals: principalsOf(), tables: [spec], region, account });
    const first = await start(table);
    await clientOf(developer, first).send(new PutItemCommand({ TableName: "ledger", Item: item("kept") }));
    await first.stop();

    const changed = tableSpec({
      attributes: { pk: "S", sk: "S", day: "S" },
      globalIndexes: { byDay: { hashKey: "day", rangeKey: null, projection: ["owner"] } },
      ttlAttribute: "gone_at",
    });
    const second = await start(changed);
    try {
      const client = clientOf(developer, second);
      const { Item } = await client.send(new GetItemCommand({ TableName: "ledger", Key: key("kept") }));
      expect(Item).toEqual(item("kept"));
      const { Table } = await client.send(new DescribeTableCommand({ TableName: "ledger" }));
      expect(Table?.GlobalSecondaryIndexes).toMatchObject([
        { IndexName: "byDay", Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["owner"] } },
      ]);
      const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: "ledger" }));
      expect(TimeToLiveDescription?.AttributeName).toBe("gone_at");
    } finally {
      await second.stop();
    }
    await expect(start(tableSpec({ primaryIndex: { hashKey: "sk", rangeKey: null } }))).rejects.toThrow(
      /key of table ledger has changed/,
    );
  });
});

describe("a signature", () => {
  test("of a key that is not known is refused with UnrecognizedClientException", async () => {
    const stranger = clientOf({ ...developer, accessKeyId: "AKIASTRANGER" });
    await expect(stranger.send(new ListTablesCommand({}))).rejects.toMatchObject({
      name: "UnrecognizedClientException",
      message: "The security token included in the request is invalid.",
      $metadata: { httpStatusCode: 400 },
    });
  });

  test("made with another secret is refused with InvalidSignatureException", async () => {
    const impostor = clientOf(developer, { secretAccessKey: "guessed" });
    await expect(impostor.send(new ListTablesCommand({}))).rejects.toMatchObject({
      name: "InvalidSignatureException",
      message: expect.stringMatching(/^The request signature we calculated does not match/),
    });
  });

  test("more than 15 minutes old is refused, and one within them is not", async () => {
    const late = await request({ "x-amz-date": "20200101T000000Z" });
    expect(late.__type).toMatch(/#InvalidSignatureException$/);
    await expect(
      clientOf(developer, { systemClockOffset: -10 * 60_000 }).send(new ListTablesCommand({})),
    ).resolves.toBeDefined();
    // The SDK corrects its clock by the answer's date, which is a retry: with one attempt it reports the refusal.
    await expect(
      clientOf(developer, { systemClockOffset: -20 * 60_000 }).send(new ListTablesCommand({})),
    ).rejects.toMatchObject({
      name: "InvalidSignatureException",
      message: expect.stringMatching(/^Signature expired: .* is now earlier than .* - 15 min\.\)$/),
    });
  });

  test("for another region is refused", async () => {
    await expect(clientOf(developer, { region: "eu-west-1" }).send(new ListTablesCommand({}))).rejects.toMatchObject({
      name: "InvalidSignatureException",
      message: expect.stringMatching(/scoped to a valid region/),
    });
  });

  test("that is missing is refused with MissingAuthenticationTokenException", async () => {
    const answer = await request({});
    expect(answer).toEqual({
      __type: "com.amazon.coral.service#MissingAuthenticationTokenException",
      message: "Request is missing Authentication Token",
    });
  });

  async function request(headers: Record<string, string>) {
    const authorization = {
      authorization: `AWS4-HMAC-SHA256 Credential=${developer.accessKeyId}/20200101/${region}/dynamodb/aws4_request, SignedHeaders=host, Signature=${"0".repeat(64)}`,
    };
    const response = await fetch(dynamodb.endpoint, {
      method: "POST",
      headers: {
        "x-amz-target": "DynamoDB_20120810.ListTables",
        ...(headers["x-amz-date"] ? authorization : {}),
        ...headers,
      },
      body: "{}",
    });
    expect(response.status).toBe(400);
    return (await response.json()) as { __type: string; message: string };
  }
});

describe("a policy", () => {
  test("lets through what it allows", async () => {
    await clientOf(writer).send(new PutItemCommand({ TableName: "ledger", Item: item("allowed") }));
    const { Item } = await clientOf(reader).send(new GetItemCommand({ TableName: "ledger", Key: key("allowed") }));
    expect(Item).toEqual(item("allowed"));
  });

  test("that lacks an action fails the call as AWS does, and nothing is written", async () => {
    const call = clientOf(reader).send(new PutItemCommand({ TableName: "ledger", Item: item("denied") }));
    await expect(call).rejects.toMatchObject({
      name: "AccessDeniedException",
      message:
        `User: arn:aws:sts::${account}:assumed-role/reader/reader is not authorized to perform: dynamodb:PutItem on ` +
        `resource: ${table.arn} because no identity-based policy allows the dynamodb:PutItem action`,
      $metadata: { httpStatusCode: 400 },
    });
    const { Item } = await clientOf(developer).send(new GetItemCommand({ TableName: "ledger", Key: key("denied") }));
    expect(Item).toBeUndefined();
  });

  test("that denies an action fails the call whatever else allows it", async () => {
    const call = clientOf(careful).send(new DeleteItemCommand({ TableName: "ledger", Key: key("kept") }));
    await expect(call).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringMatching(/ with an explicit deny in an identity-based policy$/),
      $metadata: { httpStatusCode: 400 },
    });
  });

  test("may keep a role to the items of some hash keys, in every operation", async () => {
    const TableName = "ledger";
    const client = clientOf(acme);
    const query = (name: string, value: string, IndexName?: string) =>
      client.send(
        new QueryCommand({
          TableName,
          IndexName,
          KeyConditionExpression: "#hash = :hash AND begins_with(sk, :one)",
          ExpressionAttributeNames: { "#hash": name },
          ExpressionAttributeValues: { ":hash": { S: value }, ":one": { S: "1" } },
        }),
      );
    const write = (request: WriteRequest) =>
      client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: [request] } }));
    const operations: ((pk: string) => Promise<unknown>)[] = [
      (pk) => client.send(new PutItemCommand({ TableName, Item: item(pk) })),
      (pk) => client.send(new GetItemCommand({ TableName, Key: key(pk) })),
      (pk) => query("pk", pk),
      (pk) => query("owner", pk, "byOwner"),
      (pk) => client.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [key(pk)] } } })),
      (pk) => write({ PutRequest: { Item: item(pk) } }),
      (pk) => write({ DeleteRequest: { Key: key(pk) } }),
      (pk) => client.send(new TransactWriteItemsCommand({ TransactItems: [{ Delete: { TableName, Key: key(pk) } }] })),
    ];
    for (const operation of operations) {
      await expect(operation("acme")).resolves.toBeDefined();
      await expect(operation("other")).rejects.toMatchObject({ name: "AccessDeniedException" });
    }
  });

  test("may keep a role to the items whose hash keys have a pattern, in every operation and part of a transaction", async () => {
    const TableName = "ledger";
    const client = clientOf(acmeOnly);
    const one = { ":n": { N: "1" } };
    const update = (pk: string) => ({
      TableName,
      Key: key(pk),
      UpdateExpression: "SET n = :n",
      ExpressionAttributeValues: one,
    });
    const transact = (...TransactItems: object[]) => client.send(new TransactWriteItemsCommand({ TransactItems }));
    const query = (KeyConditionExpression: string, pk: string) =>
      client.send(
        new QueryCommand({ TableName, KeyConditionExpression, ExpressionAttributeValues: { ":hash": { S: pk } } }),
      );
    const legacy = (attribute: string, pk: string, IndexName?: string) =>
      client.send(
        new QueryCommand({
          TableName,
          IndexName,
          KeyConditions: { [attribute]: { ComparisonOperator: "EQ", AttributeValueList: [{ S: pk }] } },
        }),
      );
    const operations: ((pk: string) => Promise<unknown>)[] = [
      (pk) => client.send(new PutItemCommand({ TableName, Item: item(pk) })),
      (pk) => client.send(new UpdateItemCommand(update(pk))),
      (pk) => client.send(new DeleteItemCommand({ TableName, Key: key(pk) })),
      (pk) => client.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [key("acme"), key(pk)] } } })),
      (pk) => query("pk = :hash", pk),
      (pk) => query("(pk=:hash)", pk),
      (pk) => legacy("pk", pk),
      (pk) => legacy("owner", pk, "byOwner"),
      (pk) => transact({ Put: { TableName, Item: item("acme") } }, { Update: update(pk) }),
      (pk) => transact({ Put: { TableName, Item: item(pk) } }),
      (pk) =>
        transact({ ConditionCheck: { TableName, Key: key(pk), ConditionExpression: "attribute_not_exists(absent)" } }),
      (pk) =>
        client.send(
          new TransactGetItemsCommand({
            TransactItems: [{ Get: { TableName, Key: key("acme") } }, { Get: { TableName, Key: key(pk) } }],
          }),
        ),
    ];
    for (const operation of operations) {
      await expect(operation("acme#2")).resolves.toBeDefined();
      await expect(operation("other"), String(operation)).rejects.toMatchObject({
        name: "AccessDeniedException",
        message: expect.stringMatching(/because no identity-based policy allows the dynamodb:\w+ action$/),
      });
    }
    const { Item } = await clientOf(developer).send(new GetItemCommand({ TableName, Key: key("other") }));
    expect(Item).toBeUndefined();
  });

  test("that is kept to some hash keys is no way around them for a request that names none", async () => {
    const scan = new ScanCommand({ TableName: "ledger" });
    const statement = new ExecuteStatementCommand({ Statement: `SELECT * FROM "ledger"` });
    // ForAllValues alone holds for no keys at all, on AWS too.
    await expect(clientOf(acme).send(scan)).resolves.toBeDefined();
    await expect(clientOf(acmeOnly).send(scan)).rejects.toThrow("dynamodb:Scan");
    await expect(
      clientOf(acmeOnly).send(new ScanCommand({ TableName: "ledger", IndexName: "byOwner" })),
    ).rejects.toThrow("dynamodb:Scan");
    await expect(clientOf(acmeOnly).send(statement)).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  test("is held against the index of a query, not only its table", async () => {
    const query = {
      TableName: "ledger",
      KeyConditionExpression: "#o = :o",
      ExpressionAttributeNames: { "#o": "owner" },
      ExpressionAttributeValues: { ":o": { S: "acme" } },
    };
    const byIndex = new QueryCommand({ ...query, IndexName: "byOwner" });
    await expect(clientOf(indexReader).send(byIndex)).resolves.toMatchObject({ $metadata: { httpStatusCode: 200 } });
    await expect(clientOf(reader).send(byIndex)).rejects.toThrow(`on resource: ${table.arn}/index/byOwner`);
    await expect(clientOf(indexReader).send(new ScanCommand({ TableName: "ledger" }))).rejects.toThrow("dynamodb:Scan");
  });

  test("is held against each part of a transaction", async () => {
    const put = { Put: { TableName: "ledger", Item: item("t1") } };
    const update = {
      Update: {
        TableName: "ledger",
        Key: key("t2"),
        UpdateExpression: "SET n = :n",
        ExpressionAttributeValues: { ":n": { N: "1" } },
      },
    };
    const remove = { Delete: { TableName: "ledger", Key: key("t3") } };
    const check = {
      ConditionCheck: { TableName: "ledger", Key: key("t4"), ConditionExpression: "attribute_not_exists(pk)" },
    };
    const transact = (principal: Principal, ...TransactItems: object[]) =>
      clientOf(principal).send(new TransactWriteItemsCommand({ TransactItems }));

    await expect(transact(writer, put, update)).resolves.toBeDefined();
    await expect(transact(writer, put, remove)).rejects.toThrow("dynamodb:DeleteItem");
    await expect(transact(writer, put, check)).rejects.toThrow("dynamodb:ConditionCheckItem");
    await expect(transact(developer, put, update, remove, check)).resolves.toBeDefined();
    const get = new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName: "ledger", Key: key("t1") } }] });
    await expect(clientOf(reader).send(get)).resolves.toMatchObject({ Responses: [{ Item: item("t1") }] });
    await expect(clientOf(writer).send(get)).rejects.toThrow("dynamodb:GetItem");
  });

  test("is held against each table of a batch, under the batch's own action", async () => {
    const write = (...tables: string[]) =>
      new BatchWriteItemCommand({
        RequestItems: Object.fromEntries(tables.map((name) => [name, [{ PutRequest: { Item: item("b1") } }]])),
      });
    const get = new BatchGetItemCommand({ RequestItems: { ledger: { Keys: [key("b1")] } } });
    await expect(clientOf(batcher).send(write("ledger"))).resolves.toBeDefined();
    await expect(clientOf(batcher).send(get)).resolves.toMatchObject({ Responses: { ledger: [item("b1")] } });
    await expect(clientOf(batcher).send(write("ledger", "other"))).rejects.toThrow(
      /BatchWriteItem on resource: .*table\/other/,
    );
    await expect(clientOf(writer).send(write("ledger"))).rejects.toThrow("dynamodb:BatchWriteItem");
  });

  test("covers operations on no table by the resource *", async () => {
    await expect(clientOf(reader).send(new ListTablesCommand({}))).rejects.toThrow(
      "dynamodb:ListTables on resource: *",
    );
  });
});

test("DynamoDB's own errors come through unchanged", async () => {
  const update = new UpdateItemCommand({
    TableName: "ledger",
    Key: key("absent"),
    UpdateExpression: "SET n = :n",
    ConditionExpression: "attribute_exists(pk)",
    ExpressionAttributeValues: { ":n": { N: "1" } },
  });
  await expect(clientOf(developer).send(update)).rejects.toMatchObject({ name: "ConditionalCheckFailedException" });
});
