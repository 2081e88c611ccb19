import * as z from "zod";

const attribute = z.record(z.string(), z.unknown());
const item = z.record(z.string(), attribute);
const part = z.object({
  Item: item.optional(),
  Key: item.optional(),
  Keys: z.array(item).default([]),
  PutRequest: z.object({ Item: item }).optional(),
  DeleteRequest: z.object({ Key: item }).optional(),
  KeyConditionExpression: z.string().default(""),
  KeyConditions: z.record(z.string(), z.object({ AttributeValueList: z.array(attribute).default([]) })).default({}),
  ExpressionAttributeNames: z.record(z.string(), z.string()).default({}),
  ExpressionAttributeValues: item.default({}),
});

/** `name = :value`, or the other way round. */
const equation = /([#\w.-]+)\s*=\s*(:\w+)|(:\w+)\s*=\s*([#\w.-]+)/g;

/** The hash keys that a part of an operation names: those of its items, or that of its key condition. None for a scan. */
export function leadingKeysOf(input: unknown, hashKey: string): string[] {
  const { data } = part.safeParse(input);
  if (!data) return [];
  const items = [data.Item, data.Key, ...data.Keys, data.PutRequest?.Item, data.DeleteRequest?.Key];
  const compared = [...data.KeyConditionExpression.matchAll(equation)]
    .map(([, left, right, value = right ?? "", name = left ?? ""]) => ({ name, value }))
    .filter(({ name }) => (data.ExpressionAttributeNames[name] ?? name) === hashKey)
    .map(({ value }) => data.ExpressionAttributeValues[value]);
  const listed = data.KeyConditions[hashKey]?.AttributeValueList ?? [];
  return [...items.map((each) => each?.[hashKey]), ...compared, ...listed].flatMap((value) =>
    Object.values(value ?? {}).map(String),
  );
}
