import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  ResourceNotFoundException,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { PlainJsonProtocol } from "../../../packages/functions/src/runtime/plain-json.ts";
import { startDynamoDB } from "../../../packages/local/src/aws/dynamodb.ts";
import { account, credentialsOf, developer, principalsOf, region, tableSpec } from "../aws/fixtures.ts";

const { name: TableName } = tableSpec();
/** The same table, by the client as functions have it and as Amazon made it. */
let plain: DynamoDBDocumentClient;
let amazons: DynamoDBDocumentClient;

beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-plain-json-"));
  const engine = await startDynamoDB({ dir, principals: principalsOf(), tables: [tableSpec()], region, account });
  const options = { endpoint: engine.endpoint, region, credentials: credentialsOf(developer) };
  const clientOf = (more: object) =>
    DynamoDBDocumentClient.from(new DynamoDBClient({ ...options, ...more }), {
      marshallOptions: { removeUndefinedValues: true },
    });
  plain = clientOf({ protocol: PlainJsonProtocol });
  amazons = clientOf({});
  return async () => {
    plain.destroy();
    amazons.destroy();
    await engine.stop();
    rmSync(dir, { recursive: true, force: true });
  };
});

const key = { pk: "result", sk: "a" };
/** What a request that changes nothing comes to, with both clients. */
async function compared(command: object) {
  const [ours, theirs] = await Promise.all(
    [plain, amazons].map(async (client) => {
      const outcome: object = await client.send(command as never).catch((error: Error) => error);
      const ownRun = { $metadata: null, $response: null, stack: null };
      return { kind: outcome.constructor, ...told(outcome), ...ownRun };
    }),
  );
  expect(ours).toEqual(theirs);
  return ours;
}

/** An error's message as well. */
const told = (outcome: object) =>
  Object.fromEntries(Object.getOwnPropertyNames(outcome).map((name) => [name, Reflect.get(outcome, name)]));

describe("DynamoDB's client with plain JSON", () => {
  test("stores what Amazon's would, and reads what that has stored", async () => {
    // A number that DynamoDB keeps as it is: it has 38 digits and no negative zero.
    const number = fc.integer().map((n) => n / 1000 + 0);
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: "grapheme" }),
        number,
        fc.boolean(),
        fc.constant(null),
        tie("list"),
        tie("map"),
      ),
      list: fc.array(tie("any"), { maxLength: 4 }),
      map: fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), tie("any"), { maxKeys: 4 }),
    })).any;
    await fc.assert(
      fc.asyncProperty(value, fc.boolean(), async (value, byPlain) => {
        const [writer, reader] = byPlain ? [plain, amazons] : [amazons, plain];
        await writer.send(new PutCommand({ TableName, Item: { ...key, value, left_out: undefined } }));
        const { Item } = await reader.send(new GetCommand({ TableName, Key: key, ConsistentRead: true }));
        expect(Item).toEqual({ ...key, value });
      }),
    );
  });

  test("answers as Amazon's does, to whatever it is asked", async () => {
    await plain.send(new PutCommand({ TableName, Item: { ...key, owner: "acme", count: 1 } }));
    await compared(new GetCommand({ TableName, Key: { pk: "none", sk: "a" } }));
    await compared(new BatchGetCommand({ RequestItems: { [TableName]: { Keys: [key] } } }));
    await compared(
      new QueryCommand({
        TableName,
        IndexName: "byOwner",
        KeyConditionExpression: "#owner = :owner",
        ExpressionAttributeNames: { "#owner": "owner" },
        ExpressionAttributeValues: { ":owner": "acme" },
        Limit: 1,
        ReturnConsumedCapacity: "TOTAL",
      }),
    );
    await compared(
      new UpdateCommand({
        TableName,
        Key: key,
        UpdateExpression: "SET #count = :two",
        ExpressionAttributeNames: { "#count": "count" },
        ExpressionAttributeValues: { ":two": 2 },
        ReturnValues: "ALL_NEW",
      }),
    );
  });

  test("throws what Amazon's throws, with what stood in the way", async () => {
    await plain.send(new PutCommand({ TableName, Item: { ...key, owner: "acme" } }));
    const put = {
      TableName,
      Item: { ...key, owner: "other" },
      ConditionExpression: "attribute_not_exists(pk)",
      ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
    };
    expect(await compared(new PutCommand(put))).toMatchObject({
      kind: ConditionalCheckFailedException,
      Item: { owner: { S: "acme" } },
    });
    const other = { Put: { TableName, Item: { pk: "other", sk: "a" } } };
    expect(await compared(new TransactWriteCommand({ TransactItems: [other, { Put: put }] }))).toMatchObject({
      kind: TransactionCanceledException,
      CancellationReasons: [{ Code: "None" }, { Code: "ConditionalCheckFailed", Item: { owner: { S: "acme" } } }],
    });
    expect(await compared(new GetCommand({ TableName: "no-table", Key: key }))).toMatchObject({
      kind: ResourceNotFoundException,
    });
    expect(await compared(new GetCommand({ TableName, Key: { pk: 7, sk: "a" } }))).toMatchObject({
      name: "ValidationException",
    });
  });

  test("refuses binary values, which it would not send as such", async () => {
    const Item = { ...key, bytes: new Uint8Array([1, 2, 3]) };
    await expect(plain.send(new PutCommand({ TableName, Item }))).rejects.toThrow();
  });
});
