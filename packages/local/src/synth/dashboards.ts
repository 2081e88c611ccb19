import * as z from "zod";
import type { DashboardSpec, GraphSpec, MetricSpec } from "../manifest.ts";
import type { All } from "./inputs.ts";
import { metricReader } from "./metric.ts";
import { byName } from "./order.ts";

/** `[namespace, name, dimension, value, …, {stat, label}]` */
const line = z.tuple(
  [z.string(), z.string()],
  z.union([z.string(), z.strictObject({ stat: z.string(), label: z.string() })]),
);

const properties = z.strictObject({
  title: z.string(),
  region: z.string(),
  period: z.int(),
  metrics: z.array(line),
});
type Properties = z.infer<typeof properties>;

/** The body of a dashboard, as far as ours have it. */
const body = z.strictObject({
  widgets: z.array(
    z.strictObject({
      type: z.literal("metric"),
      x: z.int().min(0).max(23),
      y: z.int().min(0),
      width: z.int().min(1).max(24),
      height: z.int().min(1),
      properties,
    }),
  ),
});

export function readDashboards(all: All): Record<string, DashboardSpec> {
  const readMetric = metricReader(all);
  return byName(
    all("aws:cloudwatch/dashboard:Dashboard").map(({ name, inputs }) => [
      name,
      { graphs: body.parse(JSON.parse(inputs.dashboardBody)).widgets.map(({ properties }) => readGraph(properties)) },
    ]),
  );

  function readGraph({ title, period, metrics }: Properties): GraphSpec {
    const named = metrics.map(([namespace, metricName, ...rest]): [string, MetricSpec] => {
      const { stat, label } = rest.find((part) => typeof part === "object") ?? { stat: "", label: "" };
      const dimensions = pairs(rest.filter((part) => typeof part === "string"));
      return [label, readMetric({ namespace, metricName, dimensions, stat })];
    });
    return { title, periodSeconds: period, metrics: Object.fromEntries(named) };
  }
}

/** `[name, value, name, value]` as an object. */
const pairs = ([name, value, ...rest]: string[]): Record<string, string> =>
  name === undefined || value === undefined ? {} : { [name]: value, ...pairs(rest) };
