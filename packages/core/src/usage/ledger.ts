import { type DynamoDBDocumentClient, QueryCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { indexPartitions, partitions } from "../dynamodb/keys.ts";
import { maxModelNameLength } from "../model/name.ts";
import type { Usage } from "../openai/usage.ts";
import { formatUsd } from "./cost.ts";

/** Concurrent transactions on one item cancel each other, so that a day's counter of a model is spread over some. */
export const shardCount = 8;

interface Addition {
  /** As much of a result as the counters count. */
  result: {
    status: string;
    model: string;
    usage: Usage | null;
    usageEstimated?: boolean | undefined;
    costNanoUsd: number | null;
  };
  unaccounted: number;
}

/** The counters of a day, a model and an owner: name on the wire → what a settlement adds. */
const counters = {
  requests: () => 1,
  failed: ({ result }: Addition) => (result.status === "failed" ? 1 : 0),
  prompt_tokens: ({ result }: Addition) => result.usage?.promptTokens ?? 0,
  completion_tokens: ({ result }: Addition) => result.usage?.completionTokens ?? 0,
  total_tokens: ({ result }: Addition) => result.usage?.totalTokens ?? 0,
  cached_tokens: ({ result }: Addition) => result.usage?.cachedTokens ?? 0,
  reasoning_tokens: ({ result }: Addition) => result.usage?.reasoningTokens ?? 0,
  cost_nano_usd: ({ result }: Addition) => result.costNanoUsd ?? 0,
  unpriced_requests: ({ result }: Addition) => (result.usage && result.costNanoUsd === null ? 1 : 0),
  /** Their tokens and cost are estimates, since OpenAI's stream broke off. */
  estimated_requests: ({ result }: Addition) => (result.usageEstimated ? 1 : 0),
  unaccounted_attempts: ({ unaccounted }: Addition) => unaccounted,
} satisfies Record<string, (addition: Addition) => number>;

export type Counter = keyof typeof counters;
export const counterNames = Object.keys(counters) as Counter[];

/**
 * What a result has put on the counters of a day (UTC, `2026-11-22`) and a model. It lies beside the result, so that the
 * counters can be held against the results. A count of 0 is left out.
 */
export const ledgerEntry = z.object({
  day: z.string(),
  model: z.string(),
  counts: z.partialRecord(z.enum(counterNames), z.int()),
});
export type LedgerEntry = z.infer<typeof ledgerEntry>;

/**
 * A model's name on the counters: cut where no request may be longer, since a server that is compatible with OpenAI may answer
 * with any name. It is part of two keys, of which DynamoDB takes 1,024 bytes each (its developer guide, "Constraints", November
 * 2026): with a day and an owner of 63 letters, 256 units of UTF-16 are 850 at most.
 */
const countedModel = (model: string): string => model.slice(0, maxModelNameLength).toWellFormed();

/** What a settlement on this day adds. */
export const entryOf = (day: string, addition: Addition): LedgerEntry => ({
  day,
  model: countedModel(addition.result.model),
  counts: countsOf((name) => counters[name](addition)),
});

/** The same, taken off again. */
export const minus = ({ counts, ...entry }: LedgerEntry): LedgerEntry => ({
  ...entry,
  counts: countsOf((name) => -(counts[name] ?? 0)),
});

/** One entry for each day and model; those that cancel each other are left out. */
export function sumOf(entries: readonly LedgerEntry[]): LedgerEntry[] {
  const groups = Map.groupBy(entries, ({ day, model }) => JSON.stringify([day, model]));
  const sums = [...groups.values()].map((group) => ({
    ...(group[0] as LedgerEntry),
    counts: countsOf((name) => group.reduce((total, { counts }) => total + (counts[name] ?? 0), 0)),
  }));
  return sums.filter(({ counts }) => Object.keys(counts).length > 0);
}

function countsOf(countOf: (name: Counter) => number): LedgerEntry["counts"] {
  return Object.fromEntries(
    counterNames.map((name) => [name, countOf(name)] as const).filter(([, value]) => value !== 0),
  );
}

const partitionKey = (owner: string) => `${partitions.usage}${owner}`;
export const ownerOf = (pk: string) => pk.slice(partitionKey("").length);

/** Where the index by owner lists every counter by its day: it tells whose counters there are. Written once for each. */
export const usageIndexPartition = indexPartitions.ownerUsage;

/** The part of a settlement's transaction that puts an entry on the counters. */
export function counterUpdate(tableName: string, owner: string, { day, model, counts }: LedgerEntry, shard: number) {
  const added = Object.entries(counts).map(([name, value]) => ({ name, value }));
  return {
    TableName: tableName,
    Key: { pk: partitionKey(owner), sk: `${day}#${model}#${shard}` },
    UpdateExpression: `SET #day = :day, #model = :model, owner_pk = :index, owner_sk = :indexSk ADD ${added.map((_, i) => `#n${i} :v${i}`).join(", ")}`,
    ExpressionAttributeNames: {
      "#day": "day",
      "#model": "model",
      ...Object.fromEntries(added.map(({ name }, i) => [`#n${i}`, name])),
    },
    ExpressionAttributeValues: {
      ":day": day,
      ":model": model,
      ":index": usageIndexPartition,
      ":indexSk": `${day}#${owner}#${model}#${shard}`,
      ...Object.fromEntries(added.map(({ value }, i) => [`:v${i}`, value])),
    },
  };
}

export type Dimension = "day" | "owner" | "model";

export interface UsageOptions {
  owners: readonly string[];
  /** UTC days, both inclusive. */
  from: string;
  to: string;
  groupBy: readonly Dimension[];
}

type Sums = Record<Counter, number>;

/** The owners' counters, added up per group, in the order of the groups. */
export async function usageReport(dynamodb: DynamoDBDocumentClient, tableName: string, options: UsageOptions) {
  const groups = new Map<string, { key: Partial<Record<Dimension, string>>; sums: Sums }>();
  const total = noSums();
  for await (const row of countersOf(dynamodb, tableName, options)) {
    const named: Record<Dimension, unknown> = { day: row.day, owner: ownerOf(String(row.pk)), model: row.model };
    const key = Object.fromEntries(options.groupBy.map((dimension) => [dimension, String(named[dimension])]));
    const groupId = JSON.stringify(key);
    const group = groups.get(groupId) ?? { key, sums: noSums() };
    groups.set(groupId, group);
    for (const name of counterNames) {
      const value = Number(row[name] ?? 0);
      group.sums[name] += value;
      total[name] += value;
    }
  }
  const data = [...groups]
    // Not by `localeCompare`, whose first call takes 3 ms of a cold start.
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { key, sums }]) => ({ ...key, ...presentSums(sums) }));
  return {
    object: "usage" as const,
    from: options.from,
    to: options.to,
    group_by: options.groupBy,
    data,
    total: presentSums(total),
  };
}

/** Every shard of every counter. */
async function* countersOf(dynamodb: DynamoDBDocumentClient, tableName: string, { owners, from, to }: UsageOptions) {
  for (const owner of owners) {
    let start: Record<string, unknown> | undefined;
    do {
      const page = await dynamodb.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
          ExpressionAttributeValues: { ":pk": partitionKey(owner), ":from": from, ":to": `${to}~` },
          ExclusiveStartKey: start,
          ConsistentRead: true,
        }),
      );
      yield* page.Items ?? [];
      start = page.LastEvaluatedKey;
    } while (start);
  }
}

const noSums = (): Sums => Object.fromEntries(counterNames.map((name) => [name, 0])) as Sums;

function presentSums({ cost_nano_usd, ...sums }: Sums) {
  return { ...sums, cost_usd: formatUsd(cost_nano_usd) };
}
