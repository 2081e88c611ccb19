import { type DynamoDBDocumentClient, ScanCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { parseItem, type StoredItem } from "../result/item.ts";
import { counterNames, type LedgerEntry, ledgerEntry, ownerOf } from "../usage/ledger.ts";

/** One item of the table, as far as it says what was billed. */
export type BookRecord =
  | { type: "result"; item: Omit<StoredItem, "answer"> }
  /** What is left of a deleted result. */
  | { type: "receipt"; id: string; owner: string; ledger: LedgerEntry[]; openaiId: string | null }
  /** One shard of a counter. */
  | { type: "counter"; owner: string; entry: LedgerEntry }
  | { type: "budget"; keyId: string; month: string; committedNanoUsd: number; spentNanoUsd: number }
  /** An item that this version cannot read. */
  | { type: "unreadable"; key: string };

const receipt = z.object({ owner: z.string(), ledger: z.array(ledgerEntry), openai_id: z.string().nullable() });
const counter = z.object({ day: z.string(), model: z.string() }).catchall(z.unknown());
const budget = z.object({ committed_nano_usd: z.int().default(0), spent_nano_usd: z.int().default(0) });

/** Everything but the answers and the keys' own items. */
const attributes = [
  ...[
    "pk",
    "sk",
    "result",
    "revision",
    "lease_id",
    "lease_expires_at",
    "request_hash",
    "pending_unaccounted",
    "reservation",
  ],
  ...["ledger", "swept", "owner", "openai_id", "day", "model", "committed_nano_usd", "spent_nano_usd"],
  ...counterNames,
];

/** Reads the whole table, strongly consistent. `onPage` hears how many items have been read. */
export async function* readRecords(
  dynamodb: DynamoDBDocumentClient,
  tableName: string,
  onPage: (items: number) => void = () => {},
): AsyncGenerator<BookRecord> {
  let items = 0;
  let start: { [name: string]: unknown } | undefined;
  do {
    const page = await dynamodb.send(
      new ScanCommand({
        TableName: tableName,
        ConsistentRead: true,
        ProjectionExpression: attributes.map((_, i) => `#a${i}`).join(", "),
        ExpressionAttributeNames: Object.fromEntries(attributes.map((name, i) => [`#a${i}`, name])),
        ExclusiveStartKey: start,
      }),
    );
    for (const raw of page.Items ?? []) {
      const record = recordOf(String(raw.pk), String(raw.sk), raw);
      if (record) yield record;
    }
    items += page.ScannedCount ?? 0;
    onPage(items);
    start = page.LastEvaluatedKey;
  } while (start);
}

/** null for an item that bills nothing, such as a key. */
function recordOf(pk: string, sk: string, raw: object): BookRecord | null {
  const [kind, ...rest] = pk.split("#");
  const id = rest.join("#");
  try {
    if (kind === "result" && sk === "result") return { type: "result", item: parseItem(raw) };
    if (kind === "result") {
      const { owner, ledger, openai_id } = receipt.parse(raw);
      return { type: "receipt", id, owner, ledger, openaiId: openai_id };
    }
    if (kind === "usage") return { type: "counter", owner: ownerOf(pk), entry: entryIn(raw) };
    if (kind !== "budget") return null;
    const { committed_nano_usd, spent_nano_usd } = budget.parse(raw);
    const sums = { committedNanoUsd: committed_nano_usd, spentNanoUsd: spent_nano_usd };
    return { type: "budget", keyId: id, month: sk, ...sums };
  } catch {
    return { type: "unreadable", key: `${pk} ${sk}` };
  }
}

function entryIn(raw: object): LedgerEntry {
  const { day, model, ...values } = counter.parse(raw);
  const counts = counterNames.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]]));
  return ledgerEntry.parse({ day, model, counts: Object.fromEntries(counts) });
}
