import { describe, expect, test } from "vitest";
import { units } from "../../packages/functions/src/metrics.ts";
import { parseMetric, unknownMetric } from "./metrics.ts";
import { committedManifest } from "./stage.ts";

const manifest = await committedManifest();
const graphs = manifest.dashboards.Dashboard?.graphs ?? [];
const shown = graphs.flatMap(({ metrics }) => Object.values(metrics)).map(parseMetric);
const shownOf = (metric: string, dimension: string) =>
  new Set(shown.filter((it) => it.metric === metric).map(({ dimensions }) => dimensions[dimension]));

describe("the dashboard", () => {
  test.each(graphs)("$title: graphs metrics that somebody publishes", ({ metrics }) => {
    expect(Object.keys(metrics).length).toBeGreaterThan(0);
    expect(Object.values(metrics).flatMap((metric) => unknownMetric(manifest, metric))).toEqual([]);
  });

  test("shows all that the functions measure", () => {
    const ours = new Set(shown.filter(({ namespace }) => namespace === "Tollgate").map(({ metric }) => metric));
    expect([...ours].sort()).toEqual([...Object.keys(units), "ApiThrottled"].sort());
  });

  test("shows depth and age of every queue, what is hidden in it too, and every dead-letter queue", () => {
    const consumed = manifest.eventSourceMappings.map(({ queue }) => queue);
    const all = Object.keys(manifest.queues);
    expect([...shownOf("ApproximateNumberOfMessagesVisible", "QueueName")].sort()).toEqual(all.sort());
    expect([...shownOf("ApproximateNumberOfMessagesNotVisible", "QueueName")].sort()).toEqual(consumed.sort());
    expect([...shownOf("ApproximateAgeOfOldestMessage", "QueueName")].sort()).toEqual(consumed.sort());
  });

  test("shows what callers see of the API", () => {
    const of = (...metrics: string[]) => metrics.map((metric) => `AWS/ApiGateway ${metric} ApiName=Api Stage=local`);
    const all = graphs.flatMap(({ metrics }) => Object.values(metrics));
    expect(all.filter((metric) => metric.startsWith("AWS/ApiGateway"))).toEqual(
      of("Count Sum", "4XXError Sum", "5XXError Sum", "Latency p50", "Latency p95"),
    );
  });

  test("shows how long OpenAI takes as a rule, and at its slowest", () => {
    const stats = graphs
      .flatMap(({ metrics }) => Object.values(metrics))
      .filter((metric) => /UpstreamLatency/.test(metric));
    expect(stats.map((metric) => metric.split(" ")[2])).toEqual(["p50", "p95"]);
  });

  const callers = Object.keys(manifest.functions).filter(
    (name) => "OpenAIApiKey" in (manifest.functions[name]?.links ?? {}),
  );
  const others = ["SettleLater", "Sweep"];

  test.each(["ConcurrentExecutions", "Throttles"])(
    "shows the %s of every function that asks OpenAI or has to be there for one that does",
    (metric) => {
      expect([...shownOf(metric, "FunctionName")].sort()).toEqual([...callers, ...others, "Authorizer"].sort());
    },
  );

  test("shows the crashes of all of them but the authorizer, which throws for every wrong key", () => {
    expect([...shownOf("Errors", "FunctionName")].sort()).toEqual([...callers, ...others].sort());
  });

  test.each(["ReadThrottleEvents", "WriteThrottleEvents", "TransactionConflict"])("shows the table's %s", (metric) => {
    expect([...shownOf(metric, "TableName")]).toEqual(Object.keys(manifest.tables));
  });

  test("shows whatever an alarm watches", () => {
    const keyOf = ({ namespace, metric, dimensions }: (typeof shown)[number]) =>
      JSON.stringify([namespace, metric, dimensions]);
    const watched = Object.values(manifest.alarms).flatMap(({ metrics }) => Object.values(metrics));
    expect(shown.map(keyOf)).toEqual(expect.arrayContaining(watched.map(parseMetric).map(keyOf)));
  });

  test("adds the cost up by the day", () => {
    const [cost] = graphs.filter(({ metrics }) => Object.values(metrics).some((spec) => / CostUsd /.test(spec)));
    expect(cost?.periodSeconds).toBe(24 * 3600);
  });
});
