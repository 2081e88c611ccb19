import * as z from "zod";
import type { FunctionSpec } from "../manifest.ts";
import type { Build, Graph, Resource } from "./graph.ts";
import { VisibleError } from "./visible-error.ts";

const text = z.string();
const count = z.number();
const either = z.boolean();
/** Takes part in a deployment but has no meaning on a laptop. */
const unread = z.unknown().optional();

/**
 * The resource types that the manifest has a place for, with every property that SST sets on them. Strict: a type or a
 * property that is not known here stops the synthesis, because the local stage would silently lack it.
 */
const placed = {
  "aws:lambda/function:Function": z.strictObject({
    name: text,
    handler: text,
    runtime: text,
    architectures: z.tuple([z.enum(["arm64", "x86_64"])]),
    timeout: count,
    memorySize: count,
    environment: z.strictObject({ variables: z.record(text, text) }),
    role: text,
    loggingConfig: z.strictObject({ logFormat: z.enum(["JSON", "Text"]), logGroup: text }),
    ephemeralStorage: unread,
    description: unread,
    packageType: z.literal("Zip"),
    publish: z.literal(false),
    s3Bucket: unread,
    s3Key: unread,
  }),
  "aws:iam/role:Role": z.strictObject({
    name: text,
    assumeRolePolicy: unread,
    inlinePolicies: z.array(z.strictObject({ name: text, policy: text })),
    managedPolicyArns: z
      .array(z.literal("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"))
      .default([]),
  }),
  "aws:cloudwatch/logGroup:LogGroup": z.strictObject({ name: text, retentionInDays: count }),
  "aws:dynamodb/table:Table": z.strictObject({
    name: text,
    attributes: z.array(z.strictObject({ name: text, type: z.enum(["S", "N", "B"]) })),
    hashKey: text,
    rangeKey: text.optional(),
    globalSecondaryIndexes: z.array(
      z.strictObject({
        name: text,
        hashKey: text,
        rangeKey: text.optional(),
        projectionType: z.enum(["ALL", "KEYS_ONLY", "INCLUDE"]),
        nonKeyAttributes: z.array(text).default([]),
      }),
    ),
    localSecondaryIndexes: z.tuple([]),
    billingMode: z.literal("PAY_PER_REQUEST"),
    ttl: z.strictObject({ attributeName: text, enabled: z.literal(true) }).optional(),
    pointInTimeRecovery: z.strictObject({ enabled: either }),
    deletionProtectionEnabled: either.default(false),
    streamEnabled: z.literal(false),
  }),
  "aws:s3/bucket:Bucket": z.strictObject({ bucket: text, forceDestroy: unread }),
  "aws:s3/bucketPolicy:BucketPolicy": z.strictObject({ bucket: text, policy: text }),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": z.strictObject({
    bucket: text,
    blockPublicAcls: either,
    blockPublicPolicy: either,
    ignorePublicAcls: either,
    restrictPublicBuckets: either,
  }),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": z.strictObject({
    bucket: text,
    rules: z.tuple([
      z.strictObject({
        applyServerSideEncryptionByDefault: z.strictObject({
          sseAlgorithm: z.literal("aws:kms"),
          kmsMasterKeyId: text,
        }),
        bucketKeyEnabled: z.literal(true),
      }),
    ]),
  }),
  "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": z.strictObject({
    bucket: text,
    corsRules: z.array(
      z.strictObject({
        allowedMethods: z.array(text),
        allowedOrigins: z.array(text),
        allowedHeaders: z.array(text),
        exposeHeaders: z.array(text),
        maxAgeSeconds: count,
      }),
    ),
  }),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": z.strictObject({
    bucket: text,
    rules: z.array(
      z.strictObject({
        id: unread,
        status: z.literal("Enabled"),
        filter: z.strictObject({ prefix: text }).optional(),
        expiration: z.strictObject({ days: count }).optional(),
        abortIncompleteMultipartUpload: z.strictObject({ daysAfterInitiation: count }).optional(),
      }),
    ),
  }),
  "aws:s3/bucketNotification:BucketNotification": z.strictObject({
    bucket: text,
    queues: z.array(
      z.strictObject({
        id: unread,
        queueArn: text,
        events: z.array(text),
        filterPrefix: text.optional(),
        filterSuffix: text.optional(),
      }),
    ),
  }),
  "aws:sqs/queue:Queue": z.strictObject({
    name: text,
    visibilityTimeoutSeconds: count,
    /** SQS keeps a message for 4 days unless told otherwise. */
    messageRetentionSeconds: count.default(4 * 24 * 3600),
    // Of the provider, which gives it to SQS; SQS alone would take 1 MiB.
    maxMessageSize: count.default(256 * 1024),
    redrivePolicy: text.optional(),
    delaySeconds: z.literal(0),
    fifoQueue: z.literal(false),
    contentBasedDeduplication: z.literal(false),
  }),
  "aws:sqs/queuePolicy:QueuePolicy": z.strictObject({ queueUrl: text, policy: text }),
  "aws:lambda/eventSourceMapping:EventSourceMapping": z.strictObject({
    eventSourceArn: text,
    functionName: text,
    batchSize: count,
    maximumBatchingWindowInSeconds: count,
    functionResponseTypes: z.array(z.literal("ReportBatchItemFailures")),
    scalingConfig: z.strictObject({ maximumConcurrency: count }).optional(),
  }),
  "aws:scheduler/schedule:Schedule": z.strictObject({
    name: unread,
    scheduleExpression: text,
    flexibleTimeWindow: z.strictObject({ mode: z.literal("OFF") }),
    state: z.literal("ENABLED"),
    target: z.strictObject({
      arn: text,
      roleArn: unread,
      input: text,
      retryPolicy: unread,
    }),
  }),
  "aws:sns/topic:Topic": z.strictObject({ name: text, fifoTopic: z.literal(false) }),
  "aws:sns/topicSubscription:TopicSubscription": z.strictObject({ topic: text, protocol: text, endpoint: text }),
  "aws:cloudwatch/metricAlarm:MetricAlarm": z.strictObject({
    name: text,
    alarmDescription: text,
    metricQueries: z.array(
      z.union([
        z.strictObject({
          id: text,
          metric: z.strictObject({
            namespace: text,
            metricName: text,
            dimensions: z.record(text, text),
            stat: text,
            period: count,
          }),
          returnData: either,
        }),
        z.strictObject({ id: text, label: text, expression: text, returnData: z.literal(true) }),
      ]),
    ),
    comparisonOperator: z.literal("GreaterThanThreshold"),
    threshold: count,
    evaluationPeriods: count,
    datapointsToAlarm: count,
    treatMissingData: z.literal("notBreaching"),
    alarmActions: z.array(text),
    okActions: z.array(text),
  }),
  "aws:cloudwatch/dashboard:Dashboard": z.strictObject({ dashboardName: text, dashboardBody: text }),
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": z.strictObject({
    name: text,
    logGroupName: text,
    pattern: text,
    metricTransformation: z.strictObject({
      namespace: text,
      name: text,
      value: z.literal("1"),
      dimensions: z.record(text, text),
    }),
  }),
  "aws:apigateway/restApi:RestApi": z.strictObject({
    name: text,
    endpointConfiguration: z.strictObject({ types: z.literal("REGIONAL") }),
  }),
  "aws:apigateway/resource:Resource": z.strictObject({ restApi: text, parentId: text, pathPart: text }),
  "aws:apigateway/method:Method": z.strictObject({
    restApi: text,
    resourceId: text,
    httpMethod: text,
    authorization: z.enum(["NONE", "CUSTOM"]),
    authorizerId: text.optional(),
  }),
  "aws:apigateway/integration:Integration": z.strictObject({
    restApi: text,
    resourceId: text,
    httpMethod: text,
    integrationHttpMethod: z.literal("POST"),
    type: z.literal("AWS_PROXY"),
    uri: text,
    responseTransferMode: z.enum(["STREAM", "BUFFERED"]),
    /** API Gateway waits 29 s unless told otherwise, for a streamed integration too. */
    timeoutMilliseconds: count.default(29_000),
  }),
  "aws:apigateway/authorizer:Authorizer": z.strictObject({
    restApi: text,
    name: text,
    type: z.literal("REQUEST"),
    authorizerUri: text,
    identitySource: text,
    /** API Gateway remembers an answer for 300 s unless told otherwise. */
    authorizerResultTtlInSeconds: count.default(300),
  }),
  "aws:apigateway/response:Response": z.strictObject({
    restApiId: text,
    responseType: text,
    statusCode: text.optional(),
    responseParameters: z.record(text, text).default({}),
    responseTemplates: z.record(text, text).default({}),
  }),
  "aws:apigateway/stage:Stage": z.strictObject({
    restApi: text,
    stageName: text,
    deployment: unread,
    accessLogSettings: z.strictObject({ destinationArn: text, format: text }),
  }),
  "aws:apigateway/methodSettings:MethodSettings": z.strictObject({
    restApi: text,
    stageName: text,
    methodPath: z.literal("*/*"),
    settings: z.strictObject({ throttlingBurstLimit: count, throttlingRateLimit: count }),
  }),
};

/** What SST asks its bundler for, as far as `bundle.ts` does the same. */
const build = z.object({
  properties: z.strictObject({
    minify: either,
    splitting: either.default(false),
    // Of the two, the local stage always makes a map.
    esbuild: z
      .strictObject({
        sourcemap: either.optional(),
        keepNames: either.default(true),
        external: z.array(text).default([]),
      })
      .prefault({}),
    // In the versions of the handler's own package.json.
    install: z.record(z.string(), z.literal("*")).default({}),
    architecture: unread,
  }),
  copyFiles: z.tuple([]),
});

const domain = "of the API's own domain: locally it is on loopback";

/** Registered, and left out of the manifest on purpose: type → why. */
const leftOut: Record<string, string> = {
  "aws:acm/certificate:Certificate": domain,
  "aws:acm/certificateValidation:CertificateValidation": domain,
  "aws:apigateway/account:Account": "read, not made: the account's log role",
  "aws:apigateway/basePathMapping:BasePathMapping": domain,
  "aws:apigateway/deployment:Deployment": "the snapshot of what the other resources say",
  "aws:apigateway/domainName:DomainName": domain,
  "aws:lambda/permission:Permission": "made by SST for each route and authorizer; lets API Gateway call the function",
  "aws:route53/record:Record": domain,
  "aws:s3/bucketObjectv2:BucketObjectv2": "a function's code, which the local stage bundles itself",
  "random:index/randomBytes:RandomBytes": "the key of a deployed bundle's links",
  "sst:aws:HostedZoneLookup": domain,
};

type Placed = typeof placed;
export type Inputs<Type extends keyof Placed> = z.infer<Placed[Type]>;

export interface Parsed<Type extends keyof Placed> {
  name: string;
  arn: string;
  url: string;
  inputs: Inputs<Type>;
}

/** Parses every registered resource. Throws on a type, or on a property of one, that has no place in the manifest. */
export function parseResources({ resources }: Graph) {
  for (const { type, name } of resources)
    if (!(type in placed) && !(type in leftOut))
      throw new VisibleError(
        `${name} is of type ${type}, which the local stage cannot make. ` +
          "Give it a place in packages/local/src/synth/inputs.ts, or leave it out there with a reason.",
      );

  return function all<Type extends keyof Placed>(type: Type): Parsed<Type>[] {
    return resources
      .filter((resource) => resource.type === type)
      .map(({ name, inputs, state }) => ({
        name,
        arn: String(state.arn),
        url: String(state.url),
        inputs: parse(placed[type], { type, name, inputs }) as Inputs<Type>,
      }));
  };
}

/** Throws on a setting of the bundler that the local stage's own would not follow. */
export function parseBuild(name: string, inputs: Build): FunctionSpec["build"] {
  const { properties } = parse(build, { type: "its bundle", name, inputs: { ...inputs } }) as z.infer<typeof build>;
  const { minify, splitting, esbuild, install } = properties;
  const { keepNames, external } = esbuild;
  const packages = Object.keys(install).sort();
  return {
    minify,
    splitting,
    keepNames,
    ...(external.length > 0 && { external }),
    ...(packages.length > 0 && { install: packages }),
  };
}

export type All = ReturnType<typeof parseResources>;

function parse(schema: z.ZodType, { type, name, inputs }: Pick<Resource, "type" | "name" | "inputs">) {
  const result = schema.safeParse(inputs);
  if (result.success) return result.data;
  throw new VisibleError(
    `${name} (${type}) has settings that the local stage has no place for:\n${z.prettifyError(result.error)}\n` +
      "Give them one in packages/local/src/synth/inputs.ts and packages/local/src/manifest.ts.",
  );
}
