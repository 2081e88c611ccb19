import {
  type AttributeDefinition,
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  type GlobalSecondaryIndexDescription,
  type KeySchemaElement,
  type Projection,
  ResourceNotFoundException,
  type TableDescription,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import type { IndexSpec, TableSpec } from "../../manifest.ts";

type IndexSpecs = TableSpec["globalIndexes"];

/**
 * Makes the engine's tables what the manifest says: creates, adds and drops indexes, sets the time to live. A table whose
 * own key has changed would have to be replaced, data and all: throws an error that names it.
 */
export async function provisionTables(client: DynamoDBClient, tables: TableSpec[]): Promise<void> {
  for (const table of tables) {
    const existing = await describe(client, table.name);
    if (existing) await updateIndexes(client, table, existing);
    else await createTable(client, table);
    await updateTimeToLive(client, table);
  }
}

async function describe(client: DynamoDBClient, name: string): Promise<TableDescription | null> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table ?? null;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null;
    throw error;
  }
}

async function createTable(client: DynamoDBClient, table: TableSpec): Promise<void> {
  const indexes = Object.entries(table.globalIndexes).map(([name, index]) => indexDefinition(name, index));
  await client.send(
    new CreateTableCommand({
      TableName: table.name,
      AttributeDefinitions: attributeDefinitions(table),
      KeySchema: keySchema(table.primaryIndex),
      BillingMode: "PAY_PER_REQUEST",
      GlobalSecondaryIndexes: indexes.length > 0 ? indexes : undefined,
      DeletionProtectionEnabled: table.deletionProtection,
    }),
  );
}

async function updateIndexes(client: DynamoDBClient, table: TableSpec, existing: TableDescription): Promise<void> {
  if (!sameKeys(existing.KeySchema, keySchema(table.primaryIndex))) {
    throw new Error(`The key of table ${table.name} has changed; a stage started with --fresh makes the table anew.`);
  }
  const existingByName = new Map(
    (existing.GlobalSecondaryIndexes ?? []).map((index) => [index.IndexName ?? "", index]),
  );
  for (const [name, index] of existingByName) {
    const wanted = table.globalIndexes[name];
    if (wanted && sameIndex(index, indexDefinition(name, wanted))) continue;
    await client.send(
      new UpdateTableCommand({ TableName: table.name, GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: name } }] }),
    );
    existingByName.delete(name);
  }
  for (const [name, index] of missingFrom(existingByName, table.globalIndexes)) {
    await client.send(
      new UpdateTableCommand({
        TableName: table.name,
        AttributeDefinitions: attributeDefinitions(table),
        GlobalSecondaryIndexUpdates: [{ Create: indexDefinition(name, index) }],
      }),
    );
  }
}

async function updateTimeToLive(client: DynamoDBClient, table: TableSpec): Promise<void> {
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: table.name }));
  const enabled = TimeToLiveDescription?.TimeToLiveStatus === "ENABLED";
  const attribute = enabled ? (TimeToLiveDescription?.AttributeName ?? null) : null;
  if (attribute === table.ttlAttribute) return;
  const set = (AttributeName: string, Enabled: boolean) =>
    client.send(
      new UpdateTimeToLiveCommand({ TableName: table.name, TimeToLiveSpecification: { AttributeName, Enabled } }),
    );
  if (attribute !== null) await set(attribute, false);
  if (table.ttlAttribute !== null) await set(table.ttlAttribute, true);
}

/** DynamoDB refuses definitions of attributes that no key uses. */
function attributeDefinitions(table: TableSpec): AttributeDefinition[] {
  const keys = [table.primaryIndex, ...Object.values(table.globalIndexes)].flatMap((index) => [
    index.hashKey,
    ...(index.rangeKey === null ? [] : [index.rangeKey]),
  ]);
  return [...new Set(keys)].map((AttributeName) => ({ AttributeName, AttributeType: table.attributes[AttributeName] }));
}

function keySchema(index: IndexSpec): KeySchemaElement[] {
  const hash: KeySchemaElement = { AttributeName: index.hashKey, KeyType: "HASH" };
  return index.rangeKey === null ? [hash] : [hash, { AttributeName: index.rangeKey, KeyType: "RANGE" }];
}

function indexDefinition(name: string, index: IndexSpecs[string]): GlobalSecondaryIndex {
  return { IndexName: name, KeySchema: keySchema(index), Projection: projectionOf(index.projection) };
}

function projectionOf(projection: IndexSpecs[string]["projection"]): Projection {
  if (projection === "all") return { ProjectionType: "ALL" };
  if (projection === "keys-only") return { ProjectionType: "KEYS_ONLY" };
  return { ProjectionType: "INCLUDE", NonKeyAttributes: projection };
}

function sameIndex(index: GlobalSecondaryIndexDescription, wanted: GlobalSecondaryIndex): boolean {
  const attributes = (projection: Projection | undefined) => [...(projection?.NonKeyAttributes ?? [])].sort().join();
  return (
    sameKeys(index.KeySchema, wanted.KeySchema) &&
    index.Projection?.ProjectionType === wanted.Projection?.ProjectionType &&
    attributes(index.Projection) === attributes(wanted.Projection)
  );
}

function sameKeys(keys: KeySchemaElement[] | undefined, wanted: KeySchemaElement[] | undefined): boolean {
  const text = (schema: KeySchemaElement[] = []) => schema.map((key) => `${key.KeyType} ${key.AttributeName}`).join();
  return text(keys) === text(wanted);
}

function missingFrom(existing: Map<string, unknown>, wanted: IndexSpecs): [string, IndexSpecs[string]][] {
  return Object.entries(wanted).filter(([name]) => !existing.has(name));
}
