import { api } from "./api.ts";
import { ledger } from "./storage.ts";

/** One of CloudWatch's metrics. test/infra/metrics.ts knows which there are. */
export interface Metric {
  namespace: string;
  metricName: string;
  dimensions: Record<string, $util.Input<string>>;
  /** CloudWatch's: `Sum`, `Maximum`, `p95`. */
  stat: string;
}

const metricsOf =
  (namespace: string, dimensions: Metric["dimensions"]) =>
  (metricName: string, stat = "Sum"): Metric => ({ namespace, metricName, dimensions, stat });

/** What our own functions measure (packages/functions/src/metrics.ts), and the filter of the API's log. */
export const stageMetric = metricsOf("Tollgate", { Stage: $app.stage });
export const apiMetric = metricsOf("AWS/ApiGateway", { ApiName: api.nodes.api.name, Stage: $app.stage });
export const tableMetric = metricsOf("AWS/DynamoDB", { TableName: ledger.name });
export const functionMetric = (fn: sst.aws.Function) => metricsOf("AWS/Lambda", { FunctionName: fn.name });
export const queueMetric = (queue: sst.aws.Queue) => metricsOf("AWS/SQS", { QueueName: queue.nodes.queue.name });
