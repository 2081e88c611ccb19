import { createHash } from "node:crypto";
import * as z from "zod";

/** A message attribute as it comes over the wire; `BinaryValue` is base64. */
export const messageAttributes = z.record(
  z.string(),
  z.object({ DataType: z.string(), StringValue: z.string().optional(), BinaryValue: z.string().optional() }),
);
export type MessageAttributes = z.infer<typeof messageAttributes>;

export function md5Hex(data: string | Buffer): string {
  return createHash("md5").update(data).digest("hex");
}

/**
 * SQS's digest of message attributes: by name, each of name, type and value with its length before it (four bytes, big
 * endian), and one byte before the value that tells text (1) from binary (2).
 * Source: "Calculating the MD5 message digest for message attributes", SQS developer guide, November 2026.
 */
export function md5OfAttributes(attributes: MessageAttributes): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  return md5Hex(
    Buffer.concat(
      names.flatMap((name) => {
        const { DataType = "", StringValue, BinaryValue } = attributes[name] ?? {};
        const binary = BinaryValue !== undefined;
        const value = binary ? Buffer.from(BinaryValue, "base64") : Buffer.from(StringValue ?? "");
        return [
          lengthAndBytes(Buffer.from(name)),
          lengthAndBytes(Buffer.from(DataType)),
          Buffer.from([binary ? 2 : 1]),
          lengthAndBytes(value),
        ];
      }),
    ),
  );
}

/** Size as SQS counts it towards a message's limit: names, types and values. */
export function sizeOfAttributes(attributes: MessageAttributes): number {
  return Object.entries(attributes).reduce((sizeBytes, [name, { DataType, StringValue = "", BinaryValue = "" }]) => {
    const valueBytes = Buffer.byteLength(StringValue) + Buffer.byteLength(BinaryValue, "base64");
    return sizeBytes + Buffer.byteLength(name) + Buffer.byteLength(DataType) + valueBytes;
  }, 0);
}

/** The attributes that a receiver asked for: exact names, `prefix.*`, or `All`. */
export function pickAttributes(attributes: MessageAttributes, names: string[]): MessageAttributes | undefined {
  const wanted = (attribute: string) =>
    names.some(
      (name) =>
        name === "All" || name === attribute || (name.endsWith(".*") && attribute.startsWith(name.slice(0, -2))),
    );
  const picked = Object.fromEntries(Object.entries(attributes).filter(([name]) => wanted(name)));
  return Object.keys(picked).length > 0 ? picked : undefined;
}

function lengthAndBytes(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
