import { authorizerFunction, chat, openaiApi, vision } from "./api.ts";
import { requestDeferred, requestDeferredDlq, requestDeferredQueue } from "./deferred.ts";
import { apiMetric, functionMetric, type Metric, queueMetric, stageMetric, tableMetric } from "./metrics.ts";
import { imageUploaded, imageUploadedDlq, imageUploadedQueue } from "./pipeline.ts";
import { settleLater, settleLaterDlq, settleLaterQueue } from "./settle-later.ts";
import { sweep } from "./sweep.ts";

interface Graph {
  title: string;
  /** By what the legend calls them. */
  metrics: Record<string, Metric>;
  periodMinutes?: number;
}

/** A metric of several resources, by what the legend calls each. */
const each = <T>(resources: Record<string, T>, metric: (resource: T) => Metric): Record<string, Metric> =>
  Object.fromEntries(Object.entries(resources).map(([label, resource]) => [label, metric(resource)]));

const queues = { images: imageUploadedQueue, requests: requestDeferredQueue, settlements: settleLaterQueue };
/** At work, or postponed because they failed. */
const inFlight = Object.fromEntries(Object.entries(queues).map(([label, queue]) => [`${label} in flight`, queue]));
const deadLetterQueues = { images: imageUploadedDlq, requests: requestDeferredDlq, settlements: settleLaterDlq };
const workers = {
  ...{ chat, vision, openai: openaiApi, images: imageUploaded, requests: requestDeferred },
  ...{ settlements: settleLater, sweep },
};
const functions = { authorizer: authorizerFunction, ...workers };

/** From what callers see, over what OpenAI does and costs, to what AWS has to give. */
const rows: Graph[][] = [
  [
    {
      title: "API: requests",
      metrics: { all: apiMetric("Count"), "4xx": apiMetric("4XXError"), "5xx": apiMetric("5XXError") },
    },
    {
      title: "API: latency, ms",
      metrics: { p50: apiMetric("Latency", "p50"), p95: apiMetric("Latency", "p95") },
    },
    {
      title: "Results",
      metrics: {
        ended: stageMetric("Requests"),
        failed: stageMetric("FailedRequests"),
        "of models that end within 30 days": stageMetric("EndingModelRequests"),
      },
    },
  ],
  [
    { title: "Cost a day, $", metrics: { cost: stageMetric("CostUsd") }, periodMinutes: 24 * 60 },
    {
      title: "Tokens",
      metrics: { prompt: stageMetric("PromptTokens"), completion: stageMetric("CompletionTokens") },
    },
    {
      title: "What the cost does not tell",
      metrics: {
        "unpriced requests": stageMetric("UnpricedRequests"),
        "unaccounted attempts": stageMetric("UnaccountedAttempts"),
        "settlements handed over": stageMetric("SettlementsHandedOver"),
        "settlements not kept": stageMetric("SettlementsNotKept"),
      },
    },
  ],
  [
    {
      title: "OpenAI: latency, ms",
      metrics: { p50: stageMetric("UpstreamLatencyMs", "p50"), p95: stageMetric("UpstreamLatencyMs", "p95") },
    },
    {
      title: "OpenAI: calls that failed",
      metrics: {
        errors: stageMetric("UpstreamErrors"),
        "rate limits": stageMetric("UpstreamRateLimits"),
        "key or quota": stageMetric("UpstreamAuthFailures"),
      },
    },
  ],
  [
    {
      title: "Queues: messages waiting and in flight",
      metrics: {
        ...each(queues, (queue) => queueMetric(queue)("ApproximateNumberOfMessagesVisible", "Maximum")),
        ...each(inFlight, (queue) => queueMetric(queue)("ApproximateNumberOfMessagesNotVisible", "Maximum")),
      },
    },
    {
      title: "Queues: age of the oldest, s",
      metrics: each(queues, (queue) => queueMetric(queue)("ApproximateAgeOfOldestMessage", "Maximum")),
    },
    {
      title: "Dead letters",
      metrics: each(deadLetterQueues, (queue) => queueMetric(queue)("ApproximateNumberOfMessagesVisible", "Maximum")),
    },
  ],
  [
    {
      title: "Lambda: at work at once",
      metrics: each(functions, (fn) => functionMetric(fn)("ConcurrentExecutions", "Maximum")),
    },
    // Not the authorizer's: it throws for every wrong key, since that is how a 401 is made. When it crashes, callers get 500.
    { title: "Lambda: crashes and time-outs", metrics: each(workers, (fn) => functionMetric(fn)("Errors")) },
    {
      title: "Turned away",
      metrics: {
        "by the API": stageMetric("ApiThrottled"),
        ...each(functions, (fn) => functionMetric(fn)("Throttles")),
        "reads of the table": tableMetric("ReadThrottleEvents"),
        "writes of the table": tableMetric("WriteThrottleEvents"),
        "transactions in each other's way": tableMetric("TransactionConflict"),
      },
    },
  ],
];

const columns = 24;
const height = 6;

function widget({ title, metrics, periodMinutes = 5 }: Graph, row: number, index: number, of: number) {
  const width = columns / of;
  const lines = Object.entries(metrics).map(([label, { namespace, metricName, dimensions, stat }]) => [
    namespace,
    metricName,
    ...Object.entries(dimensions).flat(),
    { stat, label },
  ]);
  const region = aws.getRegionOutput().region;
  const place = { x: index * width, y: row * height, width, height };
  return { type: "metric", ...place, properties: { title, region, period: periodMinutes * 60, metrics: lines } };
}

new aws.cloudwatch.Dashboard("Dashboard", {
  dashboardName: `${$app.name}-${$app.stage}`,
  dashboardBody: $jsonStringify({
    widgets: rows.flatMap((graphs, row) => graphs.map((graph, index) => widget(graph, row, index, graphs.length))),
  }),
});
