import type { MetricSpec } from "../manifest.ts";
import type { All } from "./inputs.ts";
import { component } from "./names.ts";
import { compare } from "./order.ts";
import { VisibleError } from "./visible-error.ts";

interface Metric {
  namespace: string;
  metricName: string;
  dimensions: Record<string, string>;
  stat: string;
}

/** Writes a metric down, by what infra/ calls its resource. Throws on a resource that this stage does not have. */
export function metricReader(all: All) {
  const named = (kind: string, resources: { name: string; inputs: { name: string } }[]) =>
    new Map(resources.map(({ name, inputs }) => [inputs.name, component(name, kind)]));
  const names: Record<string, Map<string, string>> = {
    FunctionName: named("Function", all("aws:lambda/function:Function")),
    QueueName: named("Queue", all("aws:sqs/queue:Queue")),
    TableName: named("Table", all("aws:dynamodb/table:Table")),
    ApiName: named("Api", all("aws:apigateway/restApi:RestApi")),
    Stage: new Map(all("aws:apigateway/stage:Stage").map(({ inputs }) => [inputs.stageName, inputs.stageName])),
  };
  return ({ namespace, metricName, dimensions, stat }: Metric): MetricSpec => {
    const by = Object.entries(dimensions).map(([dimension, value]) => {
      const name = names[dimension]?.get(value);
      if (name) return `${dimension}=${name}`;
      throw new VisibleError(`${metricName} is asked for by ${dimension} ${value}, which this stage does not have.`);
    });
    return [namespace, metricName, stat, ...by.sort(compare)].join(" ");
  };
}
