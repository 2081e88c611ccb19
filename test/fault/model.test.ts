import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { startDynamoDB } from "@tollgate/local/aws/dynamodb";
import { type Manifest, readManifest } from "@tollgate/local/manifest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { credentialsOf, developer, principalsOf } from "../integration/aws/fixtures.ts";
import { explore } from "./model/explore.ts";
import type { Command, Outcome, Write } from "./model/table.ts";
import { variants } from "./model/variants.ts";
import type { Variant, World } from "./model/world.ts";

const patienceMs = 240_000;

/** `npm run model` tries two of every variant. With two, an image that was written twice has 140,000 states, which take minutes. */
const adversitiesOf = ({ isOneContent }: Variant): number => (isOneContent ? 1 : 2);

describe.each(variants)("two attempts at one request, $name", (variant) => {
  test("are billed once in every order, when nothing goes wrong", async () => {
    const { schedules, examples } = await explore(variant, { adversities: 0 });
    expect(examples).toEqual([]);
    expect(schedules).toBeGreaterThan(0);
  });

  test(
    `agree with their ledger in every order, with up to so many things going wrong: ${adversitiesOf(variant)}`,
    async () => {
      const { schedules, states, examples } = await explore(variant, { adversities: adversitiesOf(variant) });
      console.log(`${variant.name}: ${schedules} schedules, ${states} states`);
      expect(examples).toEqual([]);
      expect(schedules).toBeGreaterThan(500);
    },
    patienceMs,
  );
});

/** Code that is not right, as the table sees it: each part of a transaction can be left out or changed. */
const eachWrite =
  (change: (write: Write, name: string) => Write | null) =>
  ({ table }: World) => {
    table.rewrite = (command) => {
      const { TransactItems } = command.input as { TransactItems?: Record<string, Write>[] };
      if (!TransactItems) {
        const name = command.constructor.name.replace("Command", "");
        return { ...command, constructor: command.constructor, input: change(command.input as Write, name) };
      }
      const changed = TransactItems.flatMap((item) => {
        const [name, write] = Object.entries(item)[0] as [string, Write];
        const instead = change(write, name);
        return instead ? [{ [name]: instead }] : [];
      });
      return { ...command, constructor: command.constructor, input: { TransactItems: changed } };
    };
  };
const writtenTwice = variants.filter(({ isOneContent }) => isOneContent);
const pkOf = ({ Key, Item }: Write) => String((Key ?? Item)?.pk);
const unconditional = (write: Write): Write => ({ ...write, ConditionExpression: "attribute_exists(pk)" });
const values = (write: Write, changes: object): Write => ({
  ...write,
  ExpressionAttributeValues: { ...write.ExpressionAttributeValues, ...changes },
});

describe("code that is not right is found out", () => {
  test.each<[string, (write: Write, name: string) => Write | null, Variant[]?]>([
    [
      "an image whose content is claimed though it has a result",
      (write) => (pkOf(write).startsWith("content#") ? { ...write, ConditionExpression: undefined as never } : write),
      writtenTwice,
    ],
    [
      "an image that keeps a claim of its own beside the result of its content",
      (write, name) => (name === "Delete" ? null : write),
      writtenTwice,
    ],
    [
      "a claim that does not look whether there is one",
      (write, name) => (name === "Put" ? { ...write, ConditionExpression: undefined as never } : write),
    ],
    [
      "an attempt that settles whether or not it holds the lease",
      (write) => (write.UpdateExpression?.includes(":ledger") ? unconditional(write) : write),
    ],
    ["a settlement without its counters", (write) => (pkOf(write).startsWith("usage#") ? null : write)],
    [
      "a takeover that does not count who died",
      (write) => (write.ExpressionAttributeValues?.[":pending"] ? values(write, { ":pending": 0 }) : write),
    ],
    [
      "a takeover of what has changed since it was read",
      (write) => (write.UpdateExpression?.includes("request_hash") ? unconditional(write) : write),
    ],
    [
      "a sweep of what has changed since it was read",
      (write) => (write.UpdateExpression?.includes(":swept") ? unconditional(write) : write),
    ],
    [
      "a reservation that is never ended",
      (write) => (write.ExpressionAttributeValues?.[":change"] !== undefined ? null : write),
    ],
    [
      "a sweep that does not say what it has counted",
      (write) =>
        write.UpdateExpression?.includes(":swept")
          ? { ...write, UpdateExpression: write.UpdateExpression.replace("swept = :swept", "seen = :swept") }
          : write,
    ],
  ])(
    "%s",
    async (_, change, tried = variants.slice(0, 2)) => {
      let found = 0;
      for (const [n, variant] of tried.entries()) {
        // That an image is paid for once holds while nothing goes wrong.
        const adversities = variant.isOneContent ? 0 : 2 - n;
        const options = { adversities, untilViolated: true, prepare: eachWrite(change) };
        found += (await explore(variant, options)).violations;
      }
      expect(found).toBeGreaterThan(0);
    },
    patienceMs,
  );
});

/** The model's table is only worth as much as it is like DynamoDB: the same commands, to Amazon's own engine. */
describe("the table in memory", () => {
  const { Ledger } = readManifest(join(import.meta.dirname, "../..")).tables as Manifest["tables"] & {
    Ledger: Manifest["tables"][string];
  };
  const dir = mkdtempSync(join(tmpdir(), "tollgate-model-"));
  let engine: Awaited<ReturnType<typeof startDynamoDB>>;
  let dynamodb: DynamoDBDocumentClient;
  beforeAll(async () => {
    const where = { region: "us-east-1", account: "000000000000" };
    engine = await startDynamoDB({ dir, principals: principalsOf(), tables: [Ledger], ...where });
    const client = new DynamoDBClient({
      endpoint: engine.endpoint,
      region: where.region,
      credentials: credentialsOf(developer),
    });
    dynamodb = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  });
  afterAll(async () => {
    dynamodb.destroy();
    await engine.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test(
    "answers as DynamoDB does, and holds the same in the end",
    async () => {
      const worlds: World[] = [];
      for (const variant of variants) {
        let ended = 0;
        await explore(variant, {
          adversities: 1,
          ended: (world) => {
            ended += 1;
            if (ended % 8 === 0) worlds.push(world);
          },
        });
      }
      expect(worlds.length).toBeGreaterThan(20);
      const commands = new Set<string>();
      for (const { table } of worlds) {
        for (const { command, outcome } of table.log) {
          commands.add(command.constructor.name);
          expect(told(await outcomeOf(command))).toEqual(told(outcome));
        }
        expect(byKey(await everything())).toEqual(byKey([...table.items.values()]));
        for (const { pk, sk } of await everything())
          await dynamodb.send(new DeleteCommand({ TableName: Ledger.name, Key: { pk, sk } }));
      }
      expect([...commands].sort()).toEqual([
        "GetCommand",
        "PutCommand",
        "QueryCommand",
        "ScanCommand",
        "TransactWriteCommand",
      ]);
    },
    patienceMs,
  );

  async function outcomeOf(command: Command): Promise<Outcome> {
    const { input } = command as { input: Record<string, unknown> };
    // The model calls its table by another name.
    const text = JSON.stringify(input).replaceAll('"TableName":"ledger"', `"TableName":"${Ledger.name}"`);
    const asked = Reflect.construct(command.constructor as unknown as new (input: object) => object, [
      JSON.parse(text),
    ]);
    try {
      return { answer: await dynamodb.send(asked as never) };
    } catch (error) {
      return { error };
    }
  }

  const everything = async () => (await dynamodb.send(new ScanCommand({ TableName: Ledger.name }))).Items ?? [];
});

const byKey = (items: readonly Record<string, unknown>[]) =>
  new Map(items.map((item) => [`${item.pk} ${item.sk}`, item]));

/** What core looks at of an answer. */
function told(outcome: Outcome): unknown {
  if ("error" in outcome) {
    const { name, Item, CancellationReasons } = outcome.error as {
      name: string;
      Item?: object;
      CancellationReasons?: { Code: string; Item?: object }[];
    };
    return { name, Item, reasons: CancellationReasons?.map(({ Code, Item }) => ({ Code, Item })) };
  }
  const { Item, Items } = outcome.answer as { Item?: object; Items?: Record<string, unknown>[] };
  return { Item, Items: Items && byKey(Items.map(({ pk, sk }) => ({ pk, sk }))) };
}
