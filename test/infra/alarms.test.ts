import type { Context, SQSEvent } from "aws-lambda";
import { describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { AppError } from "../../packages/core/src/error.ts";
import { sqsHandler } from "../../packages/functions/src/sqs-handler.ts";
import { parseMetric, unknownMetric } from "./metrics.ts";
import { committedManifest, named } from "./stage.ts";

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
    expect(manifest.topics).toHaveProperty("Alarms");
  });
});

const dimension = (name: string, of: string) =>
  Object.values(named(alarms, name).metrics).map((metric) => parseMetric(metric).dimensions[of]);

test("the alarms look at 23 metrics, which is what they cost", () => {
  expect(Object.values(alarms).flatMap(({ metrics }) => Object.keys(metrics))).toHaveLength(23);
});

test("what passes by itself rings only when it comes again: two of three periods", () => {
  const patient = Object.keys(alarms).filter((name) => named(alarms, name).periods > 1);
  expect(patient).toEqual(["ApiThrottled", "RecoveryErrors", "SettlementsWaiting"]);
  for (const name of ["ApiThrottled", "RecoveryErrors"])
    expect(named(alarms, name)).toMatchObject({ breachingPeriods: 2, periods: 3 });
});

test("what is spent and which models end is looked at by the day, and all else every five minutes", () => {
  for (const [name, { periodSeconds }] of Object.entries(alarms))
    expect([name, periodSeconds]).toEqual([name, ["DailySpend", "EndingModel"].includes(name) ? 24 * 3600 : 300]);
});

test("one request in a day to a model that ends within 30 days rings, and the mail says where its name and replacement are", () => {
  const { metrics, above, description } = named(alarms, "EndingModel");
  expect(Object.values(metrics)).toEqual(["Tollgate EndingModelRequests Sum Stage=local"]);
  expect(above).toBe(0);
  expect(description[2]).toMatch(/replaces.*"model_ends".*DEFAULT_MODEL/);
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

test("a settlement that waits for half an hour rings, however often it was tried meanwhile", () => {
  const { metrics, ...alarm } = named(alarms, "SettlementsWaiting");
  expect(Object.values(metrics)).toEqual([
    "AWS/SQS ApproximateNumberOfMessagesVisible Maximum QueueName=SettleLaterQueue",
    "AWS/SQS ApproximateNumberOfMessagesNotVisible Maximum QueueName=SettleLaterQueue",
  ]);
  expect(alarm.expression).toBe("FILL(m1, 0) + FILL(m2, 0)");
  expect(alarm).toMatchObject({ above: 0, periodSeconds: 300, breachingPeriods: 6, periods: 6 });
});

test("no alarm on a message's age says that it would see one that keeps failing", () => {
  const onAge = Object.entries(alarms).filter(([, { metrics }]) => /OldestMessage/.test(Object.values(metrics).join()));
  expect(onAge.map(([name]) => name)).toEqual(["ImageUploadedQueueAge", "RequestDeferredQueueAge"]);
  for (const [, { description }] of onAge) expect(description[1]).toMatch(/backlog.*keeps failing.*DeadLetters/);
});

/** The queues that bring work in, where there can be more of it than is done. */
const workQueues = eventSourceMappings.filter(({ queue }) => queue !== "SettleLaterQueue");

describe.each(workQueues)("the age of $queue's oldest message", (mapping) => {
  /** How long a message waits between its receives. */
  async function waitsSeconds(): Promise<number> {
    const waits: number[] = [];
    const postpone = async (_: string, seconds: number) => void waits.push(seconds);
    const fail = async () => [new AppError("upstream_error", "Again.")];
    const Records = [1, 2, 3, 4].map((count) => ({ attributes: { ApproximateReceiveCount: String(count) } }));
    const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
    await sqsHandler({ maxReceiveCount: 5, postpone }, fail)({ Records } as unknown as SQSEvent, context);
    return waits.reduce((sum, seconds) => sum + seconds, 0);
  }

  test("rings when it is more than five receives and the waits between them can take", async () => {
    expect(dimension(`${mapping.queue}Age`, "QueueName")).toEqual([mapping.queue]);
    expect(named(alarms, `${mapping.queue}Age`).above).toBe(
      5 * named(functions, mapping.function).timeoutSeconds + (await waitsSeconds()),
    );
  });
});
