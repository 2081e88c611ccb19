import * as z from "zod";
import { type MetricName, namespace, units } from "../../packages/functions/src/metrics.ts";
import type { Usage } from "./client.ts";

/** A line in a function's log, as Lambda hands it on. */
export type LogLine = Record<string, unknown>;

/** The lines that are JSON: all that the functions' own code writes. `log`: a line a row, with or without its source before it. */
export const linesOf = (log: string): LogLine[] =>
  log.split("\n").flatMap((row) => {
    const json = row.slice(row.indexOf("{"));
    try {
      return json.startsWith("{") ? [JSON.parse(json) as LogLine] : [];
    } catch {
      return [];
    }
  });

const dayMs = 24 * 3600 * 1000;
const text = z.string().min(1).max(1024);

/**
 * What CloudWatch reads metrics from; a line that breaks any of it has none, without a word.
 * Source: "Specification: Embedded metric format" and the limits of PutMetricData in CloudWatch's documentation, November 2026.
 */
const embeddedMetrics = z.object({
  Timestamp: z.int().refine((ms) => ms > Date.now() - 14 * dayMs && ms < Date.now() + dayMs / 12),
  CloudWatchMetrics: z
    .array(
      z.strictObject({
        Namespace: text.regex(/^[^:]/).max(255),
        Dimensions: z.array(z.array(text.max(250)).min(1).max(30)).min(1),
        Metrics: z
          .array(
            z.strictObject({
              Name: text.max(255),
              Unit: z.enum(["Count", "Milliseconds", "Seconds", "Bytes", "Percent", "None"]),
            }),
          )
          .min(1)
          .max(100),
      }),
    )
    .min(1),
});
const maxLineBytes = 256 * 1024;

/** What CloudWatch would say of this line, in words; nothing when it takes it. */
export function refusalsOf(line: LogLine): string[] {
  const parsed = embeddedMetrics.safeParse(line._aws);
  if (!parsed.success) return [z.prettifyError(parsed.error)];
  const refusals = parsed.data.CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) => [
    ...Dimensions.flat().flatMap((name) => (text.safeParse(line[name]).success ? [] : [`${name} is no text.`])),
    ...Metrics.flatMap(({ Name }) => (Number.isFinite(line[Name]) ? [] : [`${Name} is no number.`])),
  ]);
  return Buffer.byteLength(JSON.stringify(line)) > maxLineBytes ? [...refusals, "It is too long."] : refusals;
}

export type Sums = { [name in MetricName]: number };

/** What CloudWatch would add up of these lines. */
export function sumsOf(lines: LogLine[]): Sums {
  const sums = Object.fromEntries(Object.keys(units).map((name) => [name, 0])) as Sums;
  for (const line of lines) {
    const { CloudWatchMetrics } = embeddedMetrics.parse(line._aws);
    for (const { Namespace, Metrics } of CloudWatchMetrics) {
      if (Namespace !== namespace) throw new Error(`Nobody looks for metrics in ${Namespace}.`);
      for (const { Name } of Metrics) sums[Name as MetricName] += Number(line[Name]);
    }
  }
  return sums;
}

export const hasMetrics = (line: LogLine): boolean => "_aws" in line;

/** The same counts as the metrics have them. The ledger's money is exact; a sum of floats is, once it is rounded to a nano-dollar. */
export const ledgerAsMetrics = (usage: Usage["total"]) => ({
  Requests: usage.requests,
  FailedRequests: usage.failed,
  PromptTokens: usage.prompt_tokens,
  CompletionTokens: usage.completion_tokens,
  UnpricedRequests: usage.unpriced_requests,
  UnaccountedAttempts: usage.unaccounted_attempts,
  CostUsd: usage.cost_usd,
});

export const rounded = ({ CostUsd, ...counts }: Sums) => ({ ...counts, CostUsd: CostUsd.toFixed(9) });
