import { describe, expect, test } from "vitest";
import { units } from "../../packages/functions/src/metrics.ts";
import { parseMetric, unknownMetric } from "./metrics.ts";
import { committedManifest, named } from "./stage.ts";

const manifest = await committedManifest();
const { graphs } = named(manifest.dashboards, "Dashboard");
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

  test("shows depth and age of every queue, and every dead-letter queue", () => {
    const consumed = manifest.eventSourceMappings.map(({ queue }) => queue);
    const all = Object.keys(manifest.queues);
    expect([...shownOf("ApproximateNumberOfMessagesVisible", "QueueName")].sort()).toEqual(all.sort());
    expect([...shownOf("ApproximateAgeOfOldestMessage", "QueueName")].sort()).toEqual(consumed.sort());
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
