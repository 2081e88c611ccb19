import * as z from "zod";
import type { BucketSpec, FunctionSpec, Manifest, QueueSpec, TableSpec } from "../manifest.ts";
import { readAlarms, readTopics } from "./alarms.ts";
import { readApi } from "./api.ts";
import { readDashboards } from "./dashboards.ts";
import type { Graph } from "./graph.ts";
import { type All, type Parsed, parseBuild, parseResources } from "./inputs.ts";
import { component } from "./names.ts";
import { byName, compare } from "./order.ts";
import { statements } from "./policy.ts";
import { VisibleError } from "./visible-error.ts";

/** Turns what was registered into the manifest: references by name instead of by ARN, everything in a fixed order. */
export function readManifest(graph: Graph): Manifest {
  const all = parseResources(graph);
  const queueOf = namesOf(all("aws:sqs/queue:Queue"), "Queue");
  const functionOf = namesOf(all("aws:lambda/function:Function"), "Function");
  return {
    app: graph.app,
    stage: graph.stage,
    region: graph.region,
    account: graph.account,
    secrets: graph.secrets,
    functions: byName(
      all("aws:lambda/function:Function").map((fn) => [
        functionOf(fn.arn),
        readFunction(fn, functionOf(fn.arn), all, graph),
      ]),
    ),
    api: readApi(all, functionOf),
    tables: byName(all("aws:dynamodb/table:Table").map((table) => [component(table.name, "Table"), readTable(table)])),
    buckets: byName(
      all("aws:s3/bucket:Bucket").map((bucket) => [component(bucket.name, "Bucket"), readBucket(bucket, all, queueOf)]),
    ),
    queues: byName(all("aws:sqs/queue:Queue").map((queue) => [queueOf(queue.arn), readQueue(queue, all, queueOf)])),
    eventSourceMappings: all("aws:lambda/eventSourceMapping:EventSourceMapping")
      .map(({ inputs }) => ({
        queue: queueOf(inputs.eventSourceArn),
        function: functionOf(inputs.functionName),
        batchSize: inputs.batchSize,
        batchWindowSeconds: inputs.maximumBatchingWindowInSeconds,
        maximumConcurrency: inputs.scalingConfig?.maximumConcurrency ?? null,
        reportBatchItemFailures: inputs.functionResponseTypes.includes("ReportBatchItemFailures"),
      }))
      .sort((a, b) => compare(a.queue, b.queue)),
    schedules: byName(
      all("aws:scheduler/schedule:Schedule").map(({ name, inputs: { scheduleExpression, target } }) => [
        component(name, "Schedule"),
        {
          function: functionOf(target.arn),
          everySeconds: secondsOf(scheduleExpression),
          input: JSON.parse(target.input),
        },
      ]),
    ),
    topics: readTopics(all),
    alarms: readAlarms(all),
    dashboards: readDashboards(all),
  };
}

const secondsOfUnit: Record<string, number> = { minute: 60, hour: 3600, day: 24 * 3600 };

function secondsOf(expression: string): number {
  const [, count, unit = ""] = /^rate\((\d+) (\w+?)s?\)$/.exec(expression) ?? [];
  const seconds = Number(count) * (secondsOfUnit[unit] ?? Number.NaN);
  if (seconds > 0) return seconds;
  throw new VisibleError(`The local stage has no clock for ${expression}: use rate(5 minutes), hours or days.`);
}

function namesOf(resources: { name: string; arn: string }[], kind: string) {
  const names = new Map(resources.map(({ name, arn }) => [arn, component(name, kind)]));
  return (arn: string) => {
    const name = names.get(arn);
    if (!name) throw new VisibleError(`${arn} is no ${kind.toLowerCase()} that infra/ makes.`);
    return name;
  };
}

function readFunction(
  { inputs }: Parsed<"aws:lambda/function:Function">,
  name: string,
  all: All,
  { builds, secrets }: Graph,
): FunctionSpec {
  const build = builds[name];
  const role = all("aws:iam/role:Role").find(({ arn }) => arn === inputs.role);
  if (!build || !role) throw new VisibleError(`${name} has no ${build ? "role" : "code"} of its own.`);
  const logs = all("aws:cloudwatch/logGroup:LogGroup").find(
    (group) => group.inputs.name === inputs.loggingConfig.logGroup,
  );
  const { SST_KEY, SST_KEY_FILE, ...environment } = inputs.environment.variables;
  return {
    handler: build.handler,
    runtime: inputs.runtime,
    architecture: inputs.architectures[0],
    timeoutSeconds: inputs.timeout,
    memoryMb: inputs.memorySize,
    environment: byName(Object.entries(environment)),
    links: byName(
      Object.entries(build.links).map(([link, { type, ...properties }]) => [
        link,
        secrets.includes(link) ? {} : properties,
      ]),
    ),
    policy: role.inputs.inlinePolicies.flatMap(({ policy }) => statements(policy, name)),
    build: parseBuild(name, build),
    logRetentionDays: logs?.inputs.retentionInDays ?? null,
    logFormat: inputs.loggingConfig.logFormat,
  };
}

function readTable({ arn, inputs }: Parsed<"aws:dynamodb/table:Table">): TableSpec {
  const projections = { ALL: "all", KEYS_ONLY: "keys-only", INCLUDE: null } as const;
  return {
    name: inputs.name,
    arn,
    attributes: byName(inputs.attributes.map(({ name, type }) => [name, type])),
    primaryIndex: { hashKey: inputs.hashKey, rangeKey: inputs.rangeKey ?? null },
    globalIndexes: byName(
      inputs.globalSecondaryIndexes.map(({ name, hashKey, rangeKey, projectionType, nonKeyAttributes }) => [
        name,
        { hashKey, rangeKey: rangeKey ?? null, projection: projections[projectionType] ?? nonKeyAttributes },
      ]),
    ),
    ttlAttribute: inputs.ttl?.attributeName ?? null,
    pointInTimeRecovery: inputs.pointInTimeRecovery.enabled,
    deletionProtection: inputs.deletionProtectionEnabled,
  };
}

function readBucket(
  { arn, inputs: { bucket } }: Parsed<"aws:s3/bucket:Bucket">,
  all: All,
  queueOf: (arn: string) => string,
): BucketSpec {
  const own = <T extends { inputs: { bucket: string } }>(found: T[]) =>
    found.filter(({ inputs }) => inputs.bucket === bucket).map(({ inputs }) => inputs as T["inputs"]);
  return {
    name: bucket,
    arn,
    notifications: own(all("aws:s3/bucketNotification:BucketNotification")).flatMap(({ queues }) =>
      queues.map(({ queueArn, events, filterPrefix = null, filterSuffix = null }) => ({
        queue: queueOf(queueArn),
        events,
        filterPrefix,
        filterSuffix,
      })),
    ),
    lifecycle: own(all("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")).flatMap(({ rules }) =>
      rules.map(({ filter, expiration, abortIncompleteMultipartUpload }) => ({
        // An empty one is of everything.
        prefix: filter?.prefix || null,
        expirationDays: expiration?.days ?? null,
        abortMultipartDays: abortIncompleteMultipartUpload?.daysAfterInitiation ?? null,
      })),
    ),
    cors: own(all("aws:s3/bucketCorsConfiguration:BucketCorsConfiguration")).flatMap(({ corsRules }) => corsRules),
    policy: own(all("aws:s3/bucketPolicy:BucketPolicy")).flatMap(({ bucket, policy }) => statements(policy, bucket)),
    blockPublicAccess: own(all("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")).some(
      (block) =>
        block.blockPublicAcls && block.blockPublicPolicy && block.ignorePublicAcls && block.restrictPublicBuckets,
    ),
    kmsKeyArn:
      own(all("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")).flatMap(
        ({ rules }) => rules.map((rule) => rule.applyServerSideEncryptionByDefault.kmsMasterKeyId),
      )[0] ?? null,
  };
}

const redrive = z.strictObject({ deadLetterTargetArn: z.string(), maxReceiveCount: z.number() });

function readQueue(
  { arn, url, inputs }: Parsed<"aws:sqs/queue:Queue">,
  all: All,
  queueOf: (arn: string) => string,
): QueueSpec {
  const deadLetter = inputs.redrivePolicy ? redrive.parse(JSON.parse(inputs.redrivePolicy)) : null;
  return {
    name: inputs.name,
    arn,
    visibilityTimeoutSeconds: inputs.visibilityTimeoutSeconds,
    retentionSeconds: inputs.messageRetentionSeconds,
    maxMessageBytes: inputs.maxMessageSize,
    deadLetter: deadLetter && {
      queue: queueOf(deadLetter.deadLetterTargetArn),
      maxReceiveCount: deadLetter.maxReceiveCount,
    },
    policy: all("aws:sqs/queuePolicy:QueuePolicy")
      .filter((policy) => policy.inputs.queueUrl === url)
      .flatMap((policy) => statements(policy.inputs.policy, inputs.name)),
  };
}
