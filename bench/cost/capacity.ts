import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import * as z from "zod";
import { itemBytes } from "./item-size.ts";

/** DynamoDB's units: of 1 KB written, of 4 KB read consistently. */
export interface Units {
  write: number;
  read: number;
}

type Item = Record<string, AttributeValue>;

const units = z.object({ CapacityUnits: z.number() });
const consumed = z.object({
  CapacityUnits: z.number(),
  GlobalSecondaryIndexes: z.record(z.string(), units).default({}),
});
const answered = z.object({
  ConsumedCapacity: z.union([consumed.transform((one) => [one]), z.array(consumed)]).default([]),
});

const attributes = z.record(z.string(), z.custom<AttributeValue>());
const written = z.object({ Item: attributes.optional(), Key: attributes.optional() });
const transaction = z.object({ TransactItems: z.array(z.record(z.string(), written)) });

/**
 * What DynamoDB bills for a call that DynamoDB Local has answered. What DynamoDB Local itself reports is right for reads, for
 * single writes and for indexes, with these exceptions:
 *
 * - Of a transaction it adds up the sizes of all items before it rounds, where DynamoDB rounds each. So writes to the table are
 *   counted here, by the larger of an item's sizes before and after, twice in a transaction.
 * - In a transaction it counts an index twice as well. DynamoDB writes to an index once, after the commit.
 * - A write whose condition does not hold has no figure. DynamoDB bills it by the item that is there.
 * - A query that finds nothing takes 0. DynamoDB bills half a unit at least.
 *
 * Sources: "DynamoDB read and write operations", developer guide, November 2026; for an index in a transaction, what DynamoDB
 * reported to the conformance tests of nubo-db/dynoxide, August 2026.
 *
 * @param read an item as it is now, by its key
 */
export function createCapacity(read: (key: Item) => Promise<Item | undefined>) {
  const sizes = new Map<string, number>();

  /** Units of one item's write, which has been carried out or refused. */
  const tableUnits = async ({ pk, sk }: Item): Promise<number> => {
    const place = JSON.stringify([pk, sk]);
    const item = await read({ ...(pk && { pk }), ...(sk && { sk }) });
    const [before = 0, after] = [sizes.get(place), item ? itemBytes(item) : 0];
    sizes.set(place, after);
    return Math.max(1, Math.ceil(Math.max(before, after) / 1024));
  };

  return async function unitsOf(operation: string, input: unknown, answer: unknown): Promise<Units> {
    const { ConsumedCapacity } = answered.parse(answer);
    const total = sum(ConsumedCapacity.map(({ CapacityUnits }) => CapacityUnits));
    const index = sum(
      ConsumedCapacity.flatMap(({ GlobalSecondaryIndexes }) =>
        Object.values(GlobalSecondaryIndexes).map(({ CapacityUnits }) => CapacityUnits),
      ),
    );
    if (operation === "TransactWriteItems") {
      const parts = transaction.parse(input).TransactItems.flatMap((item) => Object.values(item));
      const table = await Promise.all(parts.map((part) => tableUnits(keyOf(part))));
      return { write: 2 * sum(table) + index / 2, read: 0 };
    }
    if (["PutItem", "UpdateItem", "DeleteItem"].includes(operation))
      return { write: (await tableUnits(keyOf(written.parse(input)))) + index, read: 0 };
    return { write: 0, read: Math.max(0.5, total) };
  };
}

const keyOf = ({ Item, Key }: z.infer<typeof written>): Item => Item ?? Key ?? {};
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
