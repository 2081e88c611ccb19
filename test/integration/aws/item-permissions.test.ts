import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startDynamoDB } from "../../../packages/local/src/aws/dynamodb.ts";
import { type Manifest, readManifest } from "../../../packages/local/src/manifest.ts";
import { credentialsOf, functionPrincipal, principalsOf } from "./fixtures.ts";

/** What each function may do to which kinds of items: all that it may, so that more fails by name, and less. */
const table: Record<string, Record<string, string[]>> = {
  Authorizer: { GetItem: ["key"] },
  Chat: answering(),
  Health: {},
  /** Forgets the claim of an image that was analysed before. */
  ImageUploaded: {
    ...working(),
    PutItem: ["result", "content"],
    UpdateItem: ["result", "usage", "budget", "rate"],
    DeleteItem: ["result"],
  },
  NotFound: {},
  OpenAI: answering(),
  OpenApi: {},
  RequestDeferred: working(),
  Results: {
    GetItem: ["result"],
    BatchGetItem: ["result"],
    PutItem: ["result"],
    DeleteItem: ["result", "content"],
    "Query by_owner": ["results of an owner"],
  },
  Schemas: {},
  SettleLater: { UpdateItem: ["result", "usage", "budget"] },
  Sweep: { GetItem: ["result"], UpdateItem: ["result", "usage", "budget"], "Query by_lease": ["leases"] },
  Uploads: { PutItem: ["result"], UpdateItem: ["rate"] },
  Usage: { Query: ["usage"] },
  Vision: answering(),
};

/** A function that a key's holder asks. */
function answering() {
  return {
    ...working(),
    GetItem: ["result"],
    UpdateItem: ["result", "usage", "budget", "rate"],
    DeleteItem: ["result"],
  };
}

/** A function that a queue asks. What it works on has an id that was handed out, which is never forgotten. It looks whether the key that it came with
 * has been revoked since. */
function working() {
  return { GetItem: ["result", "revoked"], PutItem: ["result"], UpdateItem: ["result", "usage", "budget"] };
}

const kinds = {
  result: "result#res_1",
  usage: "usage#acme",
  budget: "budget#key_1",
  content: "content#5e884898",
  rate: "rate#key_1",
  key: "key#5e884898",
  revoked: "revoked#key_1",
  keys: "keys",
  "a kind that nobody knows": "webhook#1",
};
const ownerEntries = { "results of an owner": "results#acme", "owners of all counters": "usage" };
const leaseEntries = { leases: "lease#0" };

const root = path.resolve(import.meta.dirname, "../../..");
const manifest: Manifest = readManifest(root);
const [ledger] = Object.values(manifest.tables);
if (!ledger) throw new Error("The manifest has no table.");
const TableName = ledger.name;

const functions = Object.entries(manifest.functions);
const roles = new Map(functions.map(([name, { policy }]) => [name, functionPrincipal(name, policy)]));
let dir: string;
let dynamodb: Awaited<ReturnType<typeof startDynamoDB>>;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "tollgate-items-"));
  const { region, account } = manifest;
  dynamodb = await startDynamoDB({
    dir,
    principals: principalsOf(...roles.values()),
    tables: [ledger],
    region,
    account,
  });
});

afterAll(async () => {
  await dynamodb.stop();
  await rm(dir, { recursive: true, force: true });
});

const keyOf = (pk: string) => ({ pk: { S: pk }, sk: { S: "1" } });
const query = (attribute: string, value: string, IndexName?: string) =>
  new QueryCommand({
    TableName,
    IndexName,
    KeyConditionExpression: `${attribute} = :value`,
    ExpressionAttributeValues: { ":value": { S: value } },
  });

/** Everything that can be done to an item, or to an index's entry, by its key. */
const operations = {
  GetItem: { keys: kinds, command: (pk: string) => new GetItemCommand({ TableName, Key: keyOf(pk) }) },
  BatchGetItem: {
    keys: kinds,
    command: (pk: string) => new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [keyOf(pk)] } } }),
  },
  Query: { keys: kinds, command: (pk: string) => query("pk", pk) },
  PutItem: { keys: kinds, command: (pk: string) => new PutItemCommand({ TableName, Item: keyOf(pk) }) },
  UpdateItem: { keys: kinds, command: (pk: string) => new UpdateItemCommand({ TableName, Key: keyOf(pk) }) },
  DeleteItem: { keys: kinds, command: (pk: string) => new DeleteItemCommand({ TableName, Key: keyOf(pk) }) },
  BatchWriteItem: {
    keys: kinds,
    command: (pk: string) =>
      new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ PutRequest: { Item: keyOf(pk) } }] } }),
  },
  ConditionCheckItem: {
    keys: kinds,
    command: (pk: string) => {
      const ConditionCheck = { TableName, Key: keyOf(pk), ConditionExpression: "attribute_not_exists(absent)" };
      return new TransactWriteItemsCommand({ TransactItems: [{ ConditionCheck }] });
    },
  },
  "Query by_owner": { keys: ownerEntries, command: (pk: string) => query("owner_pk", pk, "by_owner") },
  "Query by_lease": { keys: leaseEntries, command: (pk: string) => query("lease_pk", pk, "by_lease") },
};

function clientOf(name: string): DynamoDBClient {
  const principal = roles.get(name);
  if (!principal) throw new Error(`There is no function ${name}.`);
  const { endpoint } = dynamodb;
  return new DynamoDBClient({
    endpoint,
    region: manifest.region,
    credentials: credentialsOf(principal),
    maxAttempts: 1,
  });
}

type Command = Parameters<DynamoDBClient["send"]>[0];

/** False when the caller's role does not allow it. Throws whatever else goes wrong. */
async function isAllowed(client: DynamoDBClient, command: unknown): Promise<boolean> {
  try {
    await client.send(command as Command);
    return true;
  } catch (error) {
    if ((error as Error).name === "AccessDeniedException") return false;
    throw error;
  }
}

describe("with its own credentials, and of every kind of item", () => {
  test.each(functions.map(([name]) => name))("%s may touch what the table says, and no other", async (name) => {
    const client = clientOf(name);
    const found: Record<string, string[]> = {};
    for (const [operation, { keys, command }] of Object.entries(operations)) {
      for (const [kind, pk] of Object.entries(keys)) {
        if (await isAllowed(client, command(pk))) found[operation] = [...(found[operation] ?? []), kind];
      }
    }
    client.destroy();
    expect(found).toEqual(table[name]);
  });

  test.each(functions.map(([name]) => name))("%s may not read without naming keys", async (name) => {
    const client = clientOf(name);
    const everything = [
      new ScanCommand({ TableName }),
      new ScanCommand({ TableName, IndexName: "by_owner" }),
      new ScanCommand({ TableName, IndexName: "by_lease" }),
      new ExecuteStatementCommand({ Statement: `SELECT * FROM "${TableName}"` }),
    ];
    for (const command of everything) expect(await isAllowed(client, command)).toBe(false);
    client.destroy();
  });
});

test("docs/operations.md tells of each function which kinds of items it may touch", async () => {
  const columns = [
    ["GetItem", "BatchGetItem", "Query", "Query by_owner", "Query by_lease"],
    ["PutItem"],
    ["UpdateItem"],
    ["DeleteItem"],
  ];
  const touching = Object.entries(table).filter(([, may]) => Object.keys(may).length > 0);
  const rows = touching.map(([name, may]) => {
    const cells = columns.map((operations) => [...new Set(operations.flatMap((it) => may[it] ?? []))].join(", "));
    return `| \`${name}\` | ${cells.join(" | ")} |`.replaceAll("  ", " ");
  });
  expect(await readFile(path.join(root, "docs/operations.md"), "utf8")).toContain(rows.join("\n"));
});
