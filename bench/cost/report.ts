import { table } from "@tollgate/local/table";
import { alwaysFree, awsPrices } from "../aws-prices.ts";
import type { Costs } from "../cost.ts";
import type { Use } from "./recorder.ts";

const bytesPerGb = 1024 ** 3;
const minutesPerMonth = 30 * 24 * 60;

/**
 * Lambda watches a queue with five long polls of 20 s at a time. It goes down to two when there is little to do, but not where a
 * maximum concurrency is set. Source: "Configuring scaling behavior for SQS event source mappings", Lambda developer guide,
 * November 2026.
 */
const pollsPerMinute = 5 * (60 / 20);

/** Dollars, by the service that asks for them. */
export const dollarsOf = (use: Use) => ({
  "API Gateway": use.gatewayRequests * awsPrices.gatewayRequest,
  Lambda: use.lambdaRequests * awsPrices.lambdaRequest + use.gbSeconds * awsPrices.lambdaGbSecond,
  DynamoDB: use.writeUnits * awsPrices.dynamodbWriteUnit + use.readUnits * awsPrices.dynamodbReadUnit,
  S3: use.s3Puts * awsPrices.s3Put + use.s3Gets * awsPrices.s3Get,
  SQS: use.sqsRequests * awsPrices.sqsRequest,
  logs: (use.logBytes / bytesPerGb) * awsPrices.logGb,
  "data out": (use.outBytes / bytesPerGb) * awsPrices.outGb,
});

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
export const totalOf = (use: Use): number => sum(Object.values(dollarsOf(use)));

export function report({ latencyMs, model, kinds, beside, manifest }: Costs): string {
  const amounts = [
    ...kinds.map(({ name, use }) => ({ "one of each": name, ...amountsOf(use) })),
    ...Object.entries(beside).map(([name, use]) => ({ "one of each": `(${name})`, ...amountsOf(use) })),
  ];
  const dollars = kinds.map(({ name, use, openai }) => ({
    "$ per 1,000": name,
    ...thousand(dollarsOf(use)),
    AWS: perThousand(totalOf(use)),
    "tokens in": Math.round(openai.promptTokens),
    "tokens out": Math.round(openai.completionTokens),
    OpenAI: perThousand(openai.usd),
  }));
  return [
    `OpenAI answers in ${latencyMs / 1000} s. The median of what one request takes:`,
    table(amounts),
    `At AWS's list prices for us-east-1, without any free tier, and OpenAI's for ${model}:`,
    table(dollars),
    "Idle, in a month of 30 days; beyond what is always free, if nothing else in the account uses that up:",
    table(idle(beside.sweep, manifest)),
  ].join("\n\n");
}

const rounded = (amount: number, digits: number): number => Number(amount.toFixed(digits));

const amountsOf = (use: Use) => ({
  "API calls": use.gatewayRequests,
  invocations: use.lambdaRequests,
  "GB-seconds": use.gbSeconds.toFixed(2),
  "write units": use.writeUnits,
  "read units": use.readUnits,
  "S3 put": use.s3Puts,
  "S3 get": use.s3Gets,
  "SQS calls": use.sqsRequests,
  "log KB": rounded(use.logBytes / 1024, 1),
  "out KB": rounded(use.outBytes / 1024, 1),
});

const perThousand = (usd: number): string => (usd * 1_000).toFixed(4);
const thousand = (dollars: Record<string, number>) =>
  Object.fromEntries(Object.entries(dollars).map(([service, usd]) => [service, usd === 0 ? 0 : perThousand(usd)]));

/** What a stage costs that nobody asks, but for its storage. */
function idle(sweep: Use, { eventSourceMappings, schedules }: Costs["manifest"]) {
  const polls = eventSourceMappings.length * pollsPerMinute * minutesPerMonth;
  const sweeps = sum(Object.values(schedules).map(({ everySeconds }) => (minutesPerMonth * 60) / everySeconds));
  const row = (what: string, count: number, list: number, beyondFree: number) => ({
    "idle, a month": what,
    times: count,
    "list $": list.toFixed(3),
    "beyond the free $": beyondFree.toFixed(3),
  });
  const { sqsRequest, scheduledCall } = awsPrices;
  return [
    row(
      `${eventSourceMappings.length} queues polled`,
      polls,
      polls * sqsRequest,
      Math.max(0, polls - alwaysFree.sqsRequests) * sqsRequest,
    ),
    // Of a sweep, Lambda and logs stay within the free.
    row("sweep", sweeps, sweeps * totalOf(sweep), sweeps * dollarsOf(sweep).DynamoDB),
    row(
      "its schedule",
      sweeps,
      sweeps * scheduledCall,
      Math.max(0, sweeps - alwaysFree.scheduledCalls) * scheduledCall,
    ),
  ];
}
