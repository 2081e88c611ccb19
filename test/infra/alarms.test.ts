import type { Context, SQSEvent } from "aws-lambda";
import { beforeAll, describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { AppError } from "../../packages/core/src/error.ts";
import { records } from "../../packages/functions/src/queue.ts";
import type { AlarmSpec, Manifest } from "../../packages/local/src/manifest.ts";
import { evaluate } from "../../packages/local/src/synth/evaluate.ts";
import { installPlatform } from "../../packages/local/src/synth/platform.ts";
import { readManifest } from "../../packages/local/src/synth/read.ts";
import { parseMetric, unknownMetric } from "./metrics.ts";
import { committedManifest, named, root } from "./stage.ts";

const manifest = await committedManifest();
const { alarms, eventSourceMappings, functions, queues } = manifest;

describe.each(Object.entries(alarms))("the alarm %s", (_, alarm) => {
  test("tells what happened, what it means and what to do, in a mail's length", () => {
    expect(alarm.description.map((text) => text.length > 20)).toEqual([true, true, true]);
    expect(alarm.description.join("\n").length).toBeLessThanOrEqual(1024);
  });

  test("names no command that is not there", () => {
    const commands = [...alarm.description.join("\n").matchAll(/npm run (\w+)/g)].map(([, command = ""]) => command);
    expect(Object.keys(packageJson.scripts)).toEqual(expect.arrayContaining(commands));
  });

  test("watches metrics that somebody publishes, each of them in its expression, and no more than CloudWatch takes", () => {
    const metrics = Object.entries(alarm.metrics);
    expect(metrics.flatMap(([, metric]) => unknownMetric(manifest, metric))).toEqual([]);
    const ids = [...(alarm.expression ?? "m1").matchAll(/\bm\d+\b/g)].map(([id]) => id);
    expect([...new Set(ids)].sort()).toEqual(metrics.map(([id]) => id));
    expect(metrics.length).toBeLessThanOrEqual(10);
  });

  test("tells somebody", () => {
    expect(alarm.topics).toEqual(["Alarms"]);
  });
});

const dimension = (name: string, of: string) =>
  Object.values(named(alarms, name).metrics).map((metric) => parseMetric(metric).dimensions[of]);

test("the alarms look at 21 metrics, which is what they cost", () => {
  expect(Object.values(alarms).flatMap(({ metrics }) => Object.keys(metrics))).toHaveLength(21);
});

test("no dead-letter queue goes unwatched", () => {
  const deadLetterQueues = Object.values(queues).flatMap(({ deadLetter }) => (deadLetter ? [deadLetter.queue] : []));
  expect(dimension("DeadLetters", "QueueName").sort()).toEqual(deadLetterQueues.sort());
  expect(named(alarms, "DeadLetters").above).toBe(0);
});

test("no function that calls OpenAI may be throttled unnoticed, nor what stands before all", () => {
  const callers = Object.keys(functions).filter((name) => "OpenAIApiKey" in named(functions, name).links);
  expect(dimension("FunctionsThrottled", "FunctionName").sort()).toEqual(["Authorizer", ...callers].sort());
});

describe.each(eventSourceMappings)("the age of $queue's oldest message", (mapping) => {
  const { above } = named(alarms, `${mapping.queue}Age`);

  /** How long a message waits between its receives. */
  async function waitsSeconds(): Promise<number> {
    const waits: number[] = [];
    const postpone = async (_: string, seconds: number) => void waits.push(seconds);
    const fail = async () => [new AppError("upstream_error", "Again.")];
    const Records = [1, 2, 3, 4].map((count) => ({ attributes: { ApproximateReceiveCount: String(count) } }));
    const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
    await records({ maxReceiveCount: 5, postpone }, fail)({ Records } as unknown as SQSEvent, context);
    return waits.reduce((sum, seconds) => sum + seconds, 0);
  }

  test("rings when it is more than five receives and the waits between them can take", async () => {
    expect(dimension(`${mapping.queue}Age`, "QueueName")).toEqual([mapping.queue]);
    expect(above).toBe(5 * named(functions, mapping.function).timeoutSeconds + (await waitsSeconds()));
  });
});

describe("a stage", () => {
  let production: Manifest;
  let alone: Manifest;
  let told: Manifest;
  beforeAll(async () => {
    await installPlatform(root);
    const variables = { ALARM_EMAIL: "maya@example.com", DAILY_SPEND_USD: "250.50" };
    const graphs = [evaluate(root, "production"), evaluate(root, "maya"), evaluate(root, "maya", variables)] as const;
    [production, alone, told] = (await Promise.all(graphs)).map(readManifest) as [Manifest, Manifest, Manifest];
  });
  const withoutStage = (all: Record<string, AlarmSpec>, stage: string) =>
    JSON.parse(JSON.stringify(all).replaceAll(stage, "STAGE"));

  test("in production has the alarms that are reviewed here", () => {
    expect(withoutStage(production.alarms, "production")).toEqual(withoutStage(alarms, "local"));
    expect(production.dashboards).toHaveProperty("Dashboard");
  });

  test("of a developer has none, unless somebody wants to be told", () => {
    expect([alone.alarms, alone.dashboards, alone.topics]).toEqual([{}, {}, {}]);
    expect(Object.keys(told.alarms)).toEqual(Object.keys(alarms));
    expect(told.topics).toEqual({ Alarms: { subscriptions: [{ protocol: "email", endpoint: "maya@example.com" }] } });
  });

  test("rings at the daily spend that its deployer has set", () => {
    expect(named(told.alarms, "DailySpend")).toMatchObject({ above: 250.5, periodSeconds: 24 * 3600 });
    expect(named(alarms, "DailySpend").above).toBe(10);
  });
});
