import type { AlarmSpec, TopicSpec } from "../manifest.ts";
import type { All, Parsed } from "./inputs.ts";
import { metricReader } from "./metric.ts";
import { component } from "./names.ts";
import { byName } from "./order.ts";
import { VisibleError } from "./visible-error.ts";

export const readTopics = (all: All): Record<string, TopicSpec> =>
  byName(
    all("aws:sns/topic:Topic").map(({ name, arn }) => [
      component(name, "Topic"),
      {
        subscriptions: all("aws:sns/topicSubscription:TopicSubscription")
          .filter(({ inputs }) => inputs.topic === arn)
          .map(({ inputs: { protocol, endpoint } }) => ({ protocol, endpoint })),
      },
    ]),
  );

export function readAlarms(all: All): Record<string, AlarmSpec> {
  const topics = new Map(all("aws:sns/topic:Topic").map(({ name, arn }) => [arn, component(name, "Topic")]));
  const readMetric = metricReader(all);
  return byName(all("aws:cloudwatch/metricAlarm:MetricAlarm").map((alarm) => [alarm.name, readAlarm(alarm)]));

  function readAlarm({ name, inputs }: Parsed<"aws:cloudwatch/metricAlarm:MetricAlarm">): AlarmSpec {
    const metrics = inputs.metricQueries.flatMap((query) => ("metric" in query ? [query] : []));
    const [expression = null] = inputs.metricQueries.flatMap((query) =>
      "expression" in query ? [query.expression] : [],
    );
    const [periodSeconds = 0, ...others] = new Set(metrics.map(({ metric }) => metric.period));
    if (others.length > 0) throw new VisibleError(`The alarm ${name} counts over different periods.`);
    return {
      description: inputs.alarmDescription.split("\n"),
      metrics: byName(metrics.map(({ id, metric }) => [id, readMetric(metric)])),
      expression,
      above: inputs.threshold,
      periodSeconds,
      breachingPeriods: inputs.datapointsToAlarm,
      periods: inputs.evaluationPeriods,
      topics: inputs.alarmActions.map((arn) => topics.get(arn) ?? arn),
    };
  }
}
