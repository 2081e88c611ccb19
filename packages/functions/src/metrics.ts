/** Where CloudWatch keeps the metrics of every stage. Each metric has one dimension, since each further value of one costs as a metric of its own. */
export const namespace = "Tollgate";

/** What functions measure, and in which of CloudWatch's units. What API Gateway, Lambda, SQS and DynamoDB publish by themselves is not measured again. */
export const units = {
  /** Results that have ended, as `requests` on the ledger: chats, images, deferred requests. Replayed ones are none. */
  Requests: "Count",
  /** Of those, the ones that ended as `failed`. */
  FailedRequests: "Count",
  PromptTokens: "Count",
  CompletionTokens: "Count",
  CostUsd: "None",
  /** Requests to a model whose price nobody knows. */
  UnpricedRequests: "Count",
  /** Requests to a model that OpenAI ends within 30 days, or has ended. */
  EndingModelRequests: "Count",
  /** Calls that OpenAI may have billed although no usage reached us. */
  UnaccountedAttempts: "Count",
  /** One call that OpenAI answered, until its last byte. */
  UpstreamLatencyMs: "Milliseconds",
  /** Calls that failed by OpenAI's fault, or on the way. Those that are retried count, too. */
  UpstreamErrors: "Count",
  UpstreamRateLimits: "Count",
  /** OpenAI takes our key no longer, or there is no money left on it. */
  UpstreamAuthFailures: "Count",
  /** Settlements that the table did not take, and that wait in a queue. */
  SettlementsHandedOver: "Count",
  /** Settlements that neither table nor queue took. */
  SettlementsNotKept: "Count",
} as const;

export type MetricName = keyof typeof units;
export type Values = { [name in MetricName]?: number };

/**
 * What makes a line of the log one that CloudWatch reads metrics from: its embedded metric format. `_aws` has to be at the root
 * of the line, which has to be written to stdout as it is: `console` would wrap it. Powertools' writer of the same takes 17 KB and
 * 5 ms of every cold start, and a line besides ours.
 * Source: "Specification: Embedded metric format" in CloudWatch's guide, November 2026.
 */
export function embedded(stage: string, values: Values, now = Date.now()) {
  const names = Object.keys(values) as MetricName[];
  if (names.length === 0) return {};
  const Metrics = names.map((name) => ({ Name: name, Unit: units[name] }));
  const CloudWatchMetrics = [{ Namespace: namespace, Dimensions: [["Stage"]], Metrics }];
  return { _aws: { Timestamp: now, CloudWatchMetrics }, Stage: stage, ...values };
}
