/** A thing's name beside its owner's, or how it is made of what the pattern's wildcards matched after the owner. */
export type Label = string | ((...matched: string[]) => string);

/** What becomes of the manifest when a thing's line in `infra/` is removed. */
export interface Removal {
  /** The row of the report: `permission`, `link`, `route`, … */
  kind: string;
  label: Label;
  /** What it is without that line, the first that is something else; left out, it is not there at all. */
  becomes?: unknown[];
  /** For an entry of a list: the last one stays, since it goes with the whole that it is part of. */
  unlessLast?: true;
}

/** Or why it cannot be removed by itself. */
export type Rule = Removal | { stays: string };

const gone = (kind: string, label: Label): Rule => ({ kind, label });
const oneOfSeveral = (kind: string, label: Label): Rule => ({ kind, label, unlessLast: true });
const becomes = (kind: string, label: Label, ...values: unknown[]): Rule => ({ kind, label, becomes: values });
const stays = (why: string): Rule => ({ stays: why });

const identity = stays("a name, which others refer to");
const whole = stays("without it, what it belongs to is none: that is removed as a whole");
const reset = stays("the list is set back as a whole");

/** The statements of a resource's own policy. */
const policy = (where: string): Record<string, Rule> => ({
  [`${where}.policy.*.effect`]: whole,
  [`${where}.policy.*.principals.*.*`]: whole,
  [`${where}.policy.*.actions.*`]: gone("resource policy", (statement, action) => `policy, ${action} on ${statement}`),
  [`${where}.policy.*.resources.*`]: oneOfSeveral("resource policy", (_, resource) => `policy, resource ${resource}`),
  [`${where}.policy.*.conditions.*`]: gone("resource policy", (_, condition) => `policy, condition ${condition}`),
  [`${where}.policy.*.conditions.*.test`]: whole,
  [`${where}.policy.*.conditions.*.variable`]: whole,
  [`${where}.policy.*.conditions.*.values.*`]: whole,
});

/**
 * By path in the manifest, `*` being any key or index; the first that fits counts. Values are the defaults of SST 4.17, then those of
 * AWS where `infra/` says what SST would. Sources: .sst/platform, and the references of CloudFormation, November 2026.
 */
export const rules: Record<string, Rule> = {
  app: identity,
  stage: identity,
  region: identity,
  account: identity,
  "secrets.*": gone("secret", "secret"),

  "functions.*.handler": whole,
  "functions.*.runtime": becomes("function", "runtime", "nodejs24.x"),
  "functions.*.architecture": becomes("function", "architecture", "x86_64"),
  "functions.*.timeoutSeconds": becomes("function", "timeout", 20, 3),
  "functions.*.memoryMb": becomes("function", "memory", 1024, 128),
  "functions.*.environment.SST_RESOURCE_App": stays("SST gives it to every function"),
  "functions.*.environment.*": gone("environment", (name) => `environment ${name}`),
  "functions.*.links.*": gone("link", (name) => `link ${name}`),
  "functions.*.links.*.*": whole,
  "functions.*.policy.*.effect": whole,
  "functions.*.policy.*.actions.*": gone("permission", (statement, action) => `${action} on ${statement}`),
  "functions.*.policy.*.resources.*": oneOfSeveral("permission", (_, resource) => `resource ${resource}`),
  // Without its condition a statement grants more, not less.
  "functions.*.policy.*.conditions.*": gone("condition", (statement, condition) => `${condition} of ${statement}`),
  "functions.*.policy.*.conditions.*.test": whole,
  "functions.*.policy.*.conditions.*.variable": whole,
  "functions.*.policy.*.conditions.*.values.*": oneOfSeveral(
    "kind of item",
    (statement, _, keys) => `${keys} of ${statement}`,
  ),
  "functions.*.build.minify": becomes("function", "minify", true, false),
  "functions.*.build.splitting": becomes("function", "splitting", false),
  "functions.*.build.keepNames": becomes("function", "keepNames", true),
  "functions.*.build.external.*": gone("external", (name) => `external ${name}`),
  "functions.*.logRetentionDays": becomes("function", "log retention", 30, null),
  "functions.*.logFormat": becomes("function", "log format", "Text"),

  "api.name": identity,
  "api.stageName": identity,
  "api.routes.*": gone("route", "route"),
  "api.routes.*.method": whole,
  "api.routes.*.path": whole,
  "api.routes.*.function": whole,
  "api.routes.*.streaming": becomes("route", "streaming", false),
  "api.routes.*.integrationTimeoutMs": becomes("route", "integration timeout", 29_000),
  "api.routes.*.authorized": becomes("route", "authorizer", false),
  "api.authorizer": becomes("api", "authorizer", null),
  "api.authorizer.function": whole,
  "api.authorizer.identitySources": becomes("api", "authorizer's identity source", []),
  "api.authorizer.identitySources.*": reset,
  "api.authorizer.resultTtlSeconds": becomes("api", "authorizer's cache", 300),
  "api.gatewayResponses.*": gone("gateway response", "gateway response"),
  "api.gatewayResponses.*.statusCode": becomes("gateway response", "status", null),
  "api.gatewayResponses.*.parameters.*": gone("gateway response", (name) => name),
  "api.gatewayResponses.*.templates.*": gone("gateway response", (type) => `${type} template`),
  "api.throttling": becomes("api", "throttling", null),
  // An account's own.
  "api.throttling.burstLimit": becomes("api", "throttling, burst", 5_000),
  "api.throttling.rateLimit": becomes("api", "throttling, rate", 10_000),

  "api.accessLog.retentionDays": becomes("access log", "log retention", 30, null),
  "api.accessLog.fields.*": gone("access log", (name) => `log field ${name}`),
  "api.accessLog.metrics.*": gone("access log", (metric) => `log metric ${metric}`),
  "api.accessLog.metrics.*.pattern": whole,
  "api.accessLog.metrics.*.namespace": whole,
  "api.accessLog.metrics.*.metric": whole,
  "api.accessLog.metrics.*.dimensions.*": gone("access log", (metric, name) => `log metric ${metric} by ${name}`),

  "tables.*.name": identity,
  "tables.*.arn": identity,
  "tables.*.attributes.*": stays("goes with the index that has it as its key"),
  "tables.*.primaryIndex.hashKey": whole,
  "tables.*.primaryIndex.rangeKey": becomes("index", "primary index's sort key", null),
  "tables.*.globalIndexes.*": gone("index", (name) => `index ${name}`),
  "tables.*.globalIndexes.*.hashKey": whole,
  "tables.*.globalIndexes.*.rangeKey": becomes("index", (name) => `index ${name}, sort key`, null),
  "tables.*.globalIndexes.*.projection": becomes("index", (name) => `index ${name}, projection`, "all"),
  "tables.*.globalIndexes.*.projection.*": gone("index", (name, attribute) => `index ${name} of ${attribute}`),
  "tables.*.ttlAttribute": becomes("table", "time to live", null),
  "tables.*.pointInTimeRecovery": becomes("table", "point-in-time recovery", true, false),
  "tables.*.deletionProtection": becomes("table", "deletion protection", false),

  "buckets.*.name": identity,
  "buckets.*.arn": identity,
  "buckets.*.notifications.*": gone("notification", (queue) => `notification of ${queue}`),
  "buckets.*.notifications.*.queue": whole,
  "buckets.*.notifications.*.events.*": oneOfSeveral("notification", (_, event) => event),
  "buckets.*.notifications.*.filterPrefix": becomes("notification", (queue) => `prefix for ${queue}`, null),
  "buckets.*.lifecycle.*": gone("bucket", (rule) => `lifecycle of ${rule}`),
  "buckets.*.lifecycle.*.prefix": becomes("bucket", (rule) => `lifecycle of ${rule}, prefix`, null),
  "buckets.*.lifecycle.*.expirationDays": becomes("bucket", (rule) => `lifecycle of ${rule}, expiration`, null),
  "buckets.*.lifecycle.*.abortMultipartDays": becomes("bucket", (rule) => `lifecycle of ${rule}, uploads`, null),
  "buckets.*.cors.*": gone("bucket", "CORS"),
  "buckets.*.cors.*.allowedMethods": becomes("bucket", "CORS, methods", ["DELETE", "GET", "HEAD", "POST", "PUT"]),
  "buckets.*.cors.*.allowedMethods.*": reset,
  "buckets.*.cors.*.allowedOrigins": becomes("bucket", "CORS, origins", ["*"]),
  "buckets.*.cors.*.allowedOrigins.*": reset,
  "buckets.*.cors.*.allowedHeaders": becomes("bucket", "CORS, headers", ["*"]),
  "buckets.*.cors.*.allowedHeaders.*": reset,
  "buckets.*.cors.*.exposeHeaders": becomes("bucket", "CORS, exposed headers", ["ETag"]),
  "buckets.*.cors.*.exposeHeaders.*": reset,
  "buckets.*.cors.*.maxAgeSeconds": becomes("bucket", "CORS, age", 0),
  ...policy("buckets.*"),
  "buckets.*.blockPublicAccess": becomes("bucket", "public access block", false),
  "buckets.*.kmsKeyArn": becomes("bucket", "key of KMS", null),

  "queues.*.name": identity,
  "queues.*.arn": identity,
  "queues.*.visibilityTimeoutSeconds": becomes("queue", "visibility timeout", 30),
  "queues.*.retentionSeconds": becomes("queue", "retention", 4 * 24 * 3600),
  // Of the provider; SQS's own would be 1 MiB.
  "queues.*.maxMessageBytes": becomes("queue", "message size", 256 * 1024),
  "queues.*.deadLetter": becomes("queue", "dead-letter queue", null),
  "queues.*.deadLetter.queue": whole,
  "queues.*.deadLetter.maxReceiveCount": becomes("queue", "receives", 3),
  ...policy("queues.*"),

  "eventSourceMappings.*": gone("event source mapping", "event source mapping"),
  "eventSourceMappings.*.queue": whole,
  "eventSourceMappings.*.function": whole,
  "eventSourceMappings.*.batchSize": becomes("event source mapping", "batch size", 10),
  "eventSourceMappings.*.batchWindowSeconds": becomes("event source mapping", "batch window", 0),
  "eventSourceMappings.*.maximumConcurrency": becomes("event source mapping", "maximum concurrency", null),
  "eventSourceMappings.*.reportBatchItemFailures": becomes("event source mapping", "partial batch responses", false),

  "schedules.*": gone("schedule", "schedule"),
  "schedules.*.function": whole,
  "schedules.*.everySeconds": whole,

  "topics.*": gone("alarm", "topic"),
  "alarms.*": gone("alarm", "alarm"),
  "alarms.*.description": becomes("alarm", "description", []),
  "alarms.*.description.*": reset,
  "alarms.*.metrics.*": gone("alarm", (id) => `metric ${id}`),
  "alarms.*.expression": becomes("alarm", "expression", null),
  "alarms.*.above": whole,
  "alarms.*.periodSeconds": becomes("alarm", "period", 300),
  "alarms.*.breachingPeriods": becomes("alarm", "breaching periods", 1),
  "alarms.*.periods": becomes("alarm", "periods", 1),
  "alarms.*.topics.*": gone("alarm", (topic) => `topic ${topic}`),

  "dashboards.*": gone("dashboard", "dashboard"),
  "dashboards.*.graphs.*": gone("dashboard", (graph) => graph),
  "dashboards.*.graphs.*.title": whole,
  "dashboards.*.graphs.*.periodSeconds": becomes("dashboard", (graph) => `${graph}, period`, 300),
  "dashboards.*.graphs.*.metrics.*": gone("dashboard", (graph, metric) => `${graph}, ${metric}`),
};
