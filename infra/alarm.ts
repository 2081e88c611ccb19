import { alarms as limits } from "./limits.ts";
import type { Metric } from "./metrics.ts";
import { settings } from "./settings.ts";

/** Who is told. Without `ALARM_EMAIL` nobody yet: a pager or a chat can subscribe, too. An e-mail address has to confirm it first. */
const topic = new sst.aws.SnsTopic("Alarms");
if (settings.ALARM_EMAIL) {
  new aws.sns.TopicSubscription("AlarmsByEmail", {
    topic: topic.arn,
    protocol: "email",
    endpoint: settings.ALARM_EMAIL,
  });
}

/** Three texts for somebody who was woken by it, one after the other in the mail. */
interface AlarmProps {
  happened: string;
  means: string;
  todo: string;
  metrics: Metric[];
  /** Of the metrics as m1, m2 and so on; their sum when left out. */
  expression?: string;
  above: number;
  periodMinutes?: number;
  /** In how many of how many periods. */
  periods?: [breaching: number, of: number];
}

/** Tells of what is above a number. Where nothing is measured, nothing is wrong: most of these metrics are there only when something is. */
export function createAlarm(name: string, { happened, means, todo, metrics, expression, above, ...props }: AlarmProps) {
  const { periodMinutes = limits.periodMinutes, periods: [breaching, of] = [1, 1] } = props;
  const queries = metrics.map(({ metricName, namespace, dimensions, stat }, index) => ({
    id: `m${index + 1}`,
    metric: { metricName, namespace, dimensions, stat, period: periodMinutes * 60 },
    returnData: metrics.length === 1,
  }));
  // A metric that was not measured in a period would take the others with it.
  const sum = queries.map(({ id }) => `FILL(${id}, 0)`).join(" + ");
  const watched = { id: "watched", label: name, expression: expression ?? sum, returnData: true };
  new aws.cloudwatch.MetricAlarm(name, {
    name: `${$app.name}-${$app.stage}-${name}`,
    alarmDescription: [happened, means, todo].join("\n"),
    metricQueries: metrics.length === 1 ? queries : [...queries, watched],
    comparisonOperator: "GreaterThanThreshold",
    threshold: above,
    evaluationPeriods: of,
    datapointsToAlarm: breaching,
    treatMissingData: "notBreaching",
    alarmActions: [topic.arn],
    okActions: [topic.arn],
  });
}
