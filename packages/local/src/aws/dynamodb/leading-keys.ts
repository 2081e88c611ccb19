import * as z from "zod";

const item = z.record(z.string(), z.record(z.string(), z.unknown()));
const part = z.object({
  Item: item.optional(),
  Key: item.optional(),
  Keys: z.array(item).default([]),
  PutRequest: z.object({ Item: item }).optional(),
  DeleteRequest: z.object({ Key: item }).optional(),
  KeyConditionExpression: z.string().default(""),
  ExpressionAttributeNames: z.record(z.string(), z.string()).default({}),
  ExpressionAttributeValues: item.default({}),
});

/** The hash keys that a part of an operation names: those of its items, or that of its key condition. None for a scan. */
export function leadingKeysOf(input: unknown, hashKey: string): string[] {
  const { data } = part.safeParse(input);
  if (!data) return [];
  const items = [data.Item, data.Key, ...data.Keys, data.PutRequest?.Item, data.DeleteRequest?.Key];
  const compared = [...data.KeyConditionExpression.matchAll(/([#\w.-]+)\s*=\s*(:\w+)/g)]
    .filter(([, name = ""]) => (data.ExpressionAttributeNames[name] ?? name) === hashKey)
    .map(([, , value = ""]) => data.ExpressionAttributeValues[value]);
  return [...items.map((each) => each?.[hashKey]), ...compared].flatMap((value) =>
    Object.values(value ?? {}).map(String),
  );
}
