import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What `sst deploy` would make, as plain data: written to `infra/manifest.json` by `npm run synth`, read by the local
 * stage. Resources refer to each other by their names in `infra/` (`"Ledger"`), permissions by ARN as on AWS.
 */
export interface Manifest {
  app: string;
  stage: string;
  region: string;
  account: string;
  /** Names of `sst.Secret`s; their values never stand here. */
  secrets: string[];
  functions: Record<string, FunctionSpec>;
  api: ApiSpec;
  tables: Record<string, TableSpec>;
  buckets: Record<string, BucketSpec>;
  queues: Record<string, QueueSpec>;
  eventSourceMappings: EventSourceMappingSpec[];
  schedules: Record<string, ScheduleSpec>;
  topics: Record<string, TopicSpec>;
  alarms: Record<string, AlarmSpec>;
  dashboards: Record<string, DashboardSpec>;
}

export interface FunctionSpec {
  /** Path from the repository's root and the exported name: `packages/functions/src/chat.handler`. */
  handler: string;
  runtime: string;
  architecture: "arm64" | "x86_64";
  timeoutSeconds: number;
  memoryMb: number;
  /** Without `SST_KEY` and `SST_KEY_FILE`, which only unlock a deployed bundle's links. */
  environment: Record<string, string>;
  /** SST links as the function's bundle sees them: name → properties (`{"Ledger": {"name": "…"}}`). A secret has `{}`. */
  links: Record<string, Record<string, unknown>>;
  /** The statements of the function's own role, without those that every function has for its logs. */
  policy: PolicyStatement[];
  /** What SST asks its bundler for. */
  build: {
    minify: boolean;
    splitting: boolean;
    keepNames: boolean;
    /** Packages that are left out of the bundle, since no function comes to import them; none when left out. */
    external?: string[];
    /** Packages that npm installs beside the bundle; none when left out. */
    install?: string[];
  };
  logRetentionDays: number | null;
  /** How Lambda writes its own lines and those of `console`. */
  logFormat: "JSON" | "Text";
}

/** One statement of an IAM policy, lists always written as lists. */
export interface PolicyStatement {
  effect: "Allow" | "Deny";
  /** In a resource's own policy, by kind: `{"Service": ["s3.amazonaws.com"]}`, `{"*": ["*"]}`. */
  principals?: Record<string, string[]>;
  actions: string[];
  resources: string[];
  conditions?: { test: string; variable: string; values: string[] }[];
}

export interface ApiSpec {
  name: string;
  stageName: string;
  routes: RouteSpec[];
  authorizer: AuthorizerSpec | null;
  /** By API Gateway's response type (`UNAUTHORIZED`, `DEFAULT_4XX`, …). */
  gatewayResponses: Record<string, GatewayResponseSpec>;
  throttling: { burstLimit: number; rateLimit: number } | null;
  accessLog: AccessLogSpec;
}

export interface AccessLogSpec {
  retentionDays: number;
  /** What a line says: name → API Gateway's variable (`$context.status`). */
  fields: Record<string, string>;
  /** Metrics that CloudWatch counts from its lines; a dimension's value is a field of the line (`$.stage`). */
  metrics: { pattern: string; namespace: string; metric: string; dimensions: Record<string, string> }[];
}

export interface RouteSpec {
  method: string;
  /** With API Gateway's placeholders: `/results/{id}`. */
  path: string;
  function: string;
  /** `responseTransferMode: STREAM`. */
  streaming: boolean;
  /** How long API Gateway waits for the function. */
  integrationTimeoutMs: number;
  /** Whether the authorizer stands before this route. */
  authorized: boolean;
}

export interface AuthorizerSpec {
  function: string;
  /** As API Gateway writes it: `method.request.header.Authorization`. */
  identitySources: string[];
  resultTtlSeconds: number;
}

export interface GatewayResponseSpec {
  statusCode: number | null;
  /** As API Gateway writes it: `gatewayresponse.header.x-request-id` → `context.requestId` or `'literal'`. */
  parameters: Record<string, string>;
  /** Content type → body with `$context.…` variables. */
  templates: Record<string, string>;
}

export interface TableSpec {
  name: string;
  arn: string;
  attributes: Record<string, "S" | "N" | "B">;
  primaryIndex: IndexSpec;
  globalIndexes: Record<string, IndexSpec & { projection: "all" | "keys-only" | string[] }>;
  ttlAttribute: string | null;
  pointInTimeRecovery: boolean;
  deletionProtection: boolean;
}

export interface IndexSpec {
  hashKey: string;
  rangeKey: string | null;
}

export interface BucketSpec {
  name: string;
  arn: string;
  notifications: { queue: string; events: string[]; filterPrefix: string | null; filterSuffix: string | null }[];
  lifecycle: { prefix: string | null; expirationDays: number | null; abortMultipartDays: number | null }[];
  cors: CorsRule[];
  /** The bucket's own policy: what it refuses to everyone, plain HTTP for one. */
  policy: PolicyStatement[];
  blockPublicAccess: boolean;
  /** The key of KMS with which S3 encrypts its objects; null: S3's own. */
  kmsKeyArn: string | null;
}

export interface CorsRule {
  allowedMethods: string[];
  allowedOrigins: string[];
  allowedHeaders: string[];
  exposeHeaders: string[];
  maxAgeSeconds: number;
}

export interface QueueSpec {
  name: string;
  arn: string;
  visibilityTimeoutSeconds: number;
  retentionSeconds: number;
  maxMessageBytes: number;
  deadLetter: { queue: string; maxReceiveCount: number } | null;
  /** The queue's own policy: which services may send to it, and for which source. */
  policy: PolicyStatement[];
}

export interface EventSourceMappingSpec {
  queue: string;
  function: string;
  batchSize: number;
  batchWindowSeconds: number;
  maximumConcurrency: number | null;
  reportBatchItemFailures: boolean;
}

/** What EventBridge Scheduler calls by the clock. */
export interface ScheduleSpec {
  function: string;
  everySeconds: number;
  /** The event. */
  input: unknown;
}

/** Who hears of alarms. */
export interface TopicSpec {
  subscriptions: { protocol: string; endpoint: string }[];
}

/** What rings when it is above a number in so many of so many periods. A period in which nothing was measured is a good one. */
export interface AlarmSpec {
  /** In lines. */
  description: string[];
  /** By the ids that `expression` has for them. */
  metrics: Record<string, MetricSpec>;
  /** null: the only metric itself. */
  expression: string | null;
  above: number;
  periodSeconds: number;
  breachingPeriods: number;
  periods: number;
  /** Told when it rings, and when it is over. */
  topics: string[];
}

/** From top to bottom, and from left to right. */
export interface DashboardSpec {
  graphs: GraphSpec[];
}

export interface GraphSpec {
  title: string;
  periodSeconds: number;
  /** By what the legend calls them. */
  metrics: Record<string, MetricSpec>;
}

/**
 * One of CloudWatch's metrics in a line, with its statistic, and with its dimensions by what infra/ calls the resources:
 * `AWS/SQS ApproximateAgeOfOldestMessage Maximum QueueName=ImageUploadedQueue`.
 */
export type MetricSpec = string;

/** What was synthesized last. `root`: the repository's. */
export const readManifest = (root: string): Manifest =>
  JSON.parse(readFileSync(join(root, "infra/manifest.json"), "utf8"));

export function queueNamed({ queues }: Pick<Manifest, "queues">, name: string): QueueSpec {
  const queue = queues[name];
  if (!queue) throw new Error(`infra/manifest.json names a queue that it does not declare: ${name}.`);
  return queue;
}
