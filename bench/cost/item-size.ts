import type { AttributeValue } from "@aws-sdk/client-dynamodb";

/** Source: "DynamoDB item sizes and formats", developer guide, November 2026. */
export function itemBytes(item: Record<string, AttributeValue>): number {
  return Object.entries(item).reduce((total, [name, value]) => total + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  // A byte for two digits, and one more; a sign takes another.
  if (value.N !== undefined)
    return Math.ceil(value.N.replace(/\D/g, "").length / 2) + (value.N.startsWith("-") ? 2 : 1);
  // Three bytes for what it is, and one for each that it holds.
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  if (value.L !== undefined) return value.L.reduce((total, one) => total + 1 + valueBytes(one), 3);
  if (value.NULL !== undefined || value.BOOL !== undefined) return 1;
  throw new Error(`Nothing is stored with an attribute such as ${JSON.stringify(value)}.`);
}
