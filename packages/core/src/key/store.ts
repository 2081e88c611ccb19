import { GetCommand, QueryCommand, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { ulid } from "ulid";
import * as z from "zod";
import { partitions } from "../dynamodb/keys.ts";
import type { Table } from "../dynamodb/table.ts";
import { AppError } from "../error.ts";
import { jitless } from "../validation/jitless.ts";
import { hashApiKey } from "./key.ts";
import { type CallerKey, type KeyLimits, unlimited } from "./limits.ts";
import { ownerPattern } from "./owner.ts";

const storedKey = z.object({
  key_id: z.string(),
  owner: z.string(),
  created_at: z.string(),
  revoked_at: z.string().optional(),
  budget_nano_usd: z.int().optional(),
  models: z.array(z.string()).optional(),
  rpm: z.int().optional(),
  max_output_tokens: z.int().optional(),
});

export type ApiKey = z.infer<typeof storedKey>;

const parseKey = (item: unknown): ApiKey => storedKey.parse(item, jitless);

/** All keys lie in one partition, which `list` reads; verifying reads a second item, found by the key's hash. */
const listed = (keyId: string) => ({ pk: partitions.keys, sk: keyId });
const revocation = (keyId: string) => ({ pk: `${partitions.revoked}${keyId}`, sk: "revoked" });
const byHash = (apiKey: string) => ({ pk: `${partitions.key}${hashApiKey(apiKey)}`, sk: "key" });

/** What the holder of a key may do. */
export const limitsOf = (key: ApiKey): CallerKey => ({
  keyId: key.key_id,
  budgetNanoUsd: key.budget_nano_usd ?? null,
  models: key.models ?? null,
  rpm: key.rpm ?? null,
  maxOutputTokens: key.max_output_tokens ?? null,
});

/** Stores a key for an owner. Throws `invalid_request` on an owner that could not be part of an S3 key. */
export async function addKey(
  store: Table,
  apiKey: string,
  owner: string,
  now: Date,
  { budgetNanoUsd, models, rpm, maxOutputTokens }: KeyLimits = unlimited,
): Promise<ApiKey> {
  if (!ownerPattern.test(owner)) {
    throw new AppError(
      "invalid_request",
      "owner: Use 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit.",
      {
        param: "owner",
      },
    );
  }
  const key: ApiKey = {
    key_id: `key_${ulid(now.getTime())}`,
    owner,
    created_at: now.toISOString(),
    ...(budgetNanoUsd !== null && { budget_nano_usd: budgetNanoUsd }),
    ...(models !== null && { models: [...models] }),
    ...(rpm !== null && { rpm }),
    ...(maxOutputTokens !== null && { max_output_tokens: maxOutputTokens }),
  };
  const { pk } = byHash(apiKey);
  await store.dynamodb.send(
    new TransactWriteCommand({
      TransactItems: [
        {
          Put: {
            TableName: store.tableName,
            Item: { ...byHash(apiKey), ...key },
            ConditionExpression: "attribute_not_exists(pk)",
          },
        },
        { Put: { TableName: store.tableName, Item: { ...listed(key.key_id), ...key, hash_pk: pk } } },
      ],
    }),
  );
  return key;
}

/** The key's owner, or null when it is unknown or revoked. Strongly consistent: a new key works at once. */
export async function verifyKey(store: Table, apiKey: string): Promise<ApiKey | null> {
  const { Item } = await store.dynamodb.send(
    new GetCommand({ TableName: store.tableName, Key: byHash(apiKey), ConsistentRead: true }),
  );
  const key = Item ? parseKey(Item) : null;
  return key && !key.revoked_at ? key : null;
}

/** Throws `invalid_api_key` when the key that accepted work came with has been revoked since. */
export async function requireUnrevoked({ dynamodb, tableName }: Table, keyId: string): Promise<void> {
  const { Item } = await dynamodb.send(
    new GetCommand({ TableName: tableName, Key: revocation(keyId), ConsistentRead: true }),
  );
  if (!Item) return;
  throw new AppError(
    "invalid_api_key",
    "The API key that this came with has been revoked since. Ask again with another.",
  );
}

/** Every key, oldest first, without anything that would let it be used. */
export async function listKeys(store: Table): Promise<ApiKey[]> {
  const keys: ApiKey[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const page = await store.dynamodb.send(
      new QueryCommand({
        TableName: store.tableName,
        KeyConditionExpression: "pk = :keys",
        ExpressionAttributeValues: { ":keys": partitions.keys },
        ExclusiveStartKey: start,
      }),
    );
    keys.push(...(page.Items ?? []).map(parseKey));
    start = page.LastEvaluatedKey;
  } while (start);
  return keys;
}

/** Revokes a key by its id. Throws `not_found` when there is none. Revoking twice changes nothing. */
export async function revokeKey(store: Table, keyId: string, now: Date): Promise<ApiKey> {
  const { Item } = await store.dynamodb.send(new GetCommand({ TableName: store.tableName, Key: listed(keyId) }));
  if (!Item) throw new AppError("not_found", `No key has the id "${keyId}".`, { param: "key_id" });
  const revoke = (Key: { pk: string; sk: string }) => ({
    TableName: store.tableName,
    Key,
    UpdateExpression: "SET revoked_at = if_not_exists(revoked_at, :now)",
    ExpressionAttributeValues: { ":now": now.toISOString() },
  });
  const keys = [{ pk: String(Item.hash_pk), sk: "key" }, listed(keyId)];
  await store.dynamodb.send(
    new TransactWriteCommand({
      TransactItems: [
        ...keys.map((key) => ({ Update: { ...revoke(key), ConditionExpression: "attribute_exists(pk)" } })),
        { Update: revoke(revocation(keyId)) },
      ],
    }),
  );
  return { revoked_at: now.toISOString(), ...parseKey(Item) };
}
