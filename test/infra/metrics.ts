import { namespace, units } from "../../packages/functions/src/metrics.ts";
import type { Manifest, MetricSpec } from "../../packages/local/src/manifest.ts";

interface Namespace {
  /** The dimensions that a metric has to be asked for by, in order of their names. */
  dimensions: string[];
  metrics: readonly string[];
}

/** What AWS publishes of a stage's resources by itself. Sources: the guides of each service, November 2026. */
const publishedByAws: Record<string, Namespace> = {
  "AWS/ApiGateway": {
    dimensions: ["ApiName", "Stage"],
    metrics: ["4XXError", "5XXError", "Count", "IntegrationLatency", "Latency"],
  },
  "AWS/Lambda": {
    dimensions: ["FunctionName"],
    metrics: ["ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"],
  },
  "AWS/SQS": {
    dimensions: ["QueueName"],
    metrics: [
      "ApproximateAgeOfOldestMessage",
      "ApproximateNumberOfMessagesNotVisible",
      "ApproximateNumberOfMessagesVisible",
      "NumberOfMessagesDeleted",
      "NumberOfMessagesReceived",
      "NumberOfMessagesSent",
    ],
  },
  "AWS/DynamoDB": {
    dimensions: ["TableName"],
    metrics: [
      "ConsumedReadCapacityUnits",
      "ConsumedWriteCapacityUnits",
      "ReadThrottleEvents",
      "TransactionConflict",
      "WriteThrottleEvents",
    ],
  },
};

export function parseMetric(spec: MetricSpec) {
  const [space = "", metric = "", , ...dimensions] = spec.split(" ");
  const named = dimensions.map((dimension) => dimension.split("=") as [string, string]);
  return { namespace: space, metric, dimensions: Object.fromEntries(named) };
}

/** A metric that nobody publishes, in words; nothing when somebody does. That its resource exists is made sure of by the synthesis. */
export function unknownMetric({ api }: Manifest, spec: MetricSpec): string[] {
  const { namespace: space, metric, dimensions } = parseMetric(spec);
  const counted = api.accessLog.metrics.filter((filter) => filter.namespace === namespace);
  const ours = { dimensions: ["Stage"], metrics: [...Object.keys(units), ...counted.map((filter) => filter.metric)] };
  const known = space === namespace ? ours : publishedByAws[space];
  if (!known) return [`${spec}: no such namespace`];
  return [
    ...(known.metrics.includes(metric) ? [] : [`${spec}: no such metric`]),
    ...(Object.keys(dimensions).join() === known.dimensions.join() ? [] : [`${spec}: not by these dimensions`]),
  ];
}
