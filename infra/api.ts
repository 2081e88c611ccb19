import { accessLogFormat } from "./access-log.ts";
import { requestDeferredQueue } from "./deferred.ts";
import { createFunction } from "./function.ts";
import { gatewayResponses } from "./gateway-responses.ts";
import { items } from "./items.ts";
import * as limits from "./limits.ts";
import { defaultModel, openai, shrinking } from "./openai.ts";
import { settings } from "./settings.ts";
import { handOver } from "./settle-later.ts";
import { images, ledger, resources } from "./storage.ts";

/** Claims a result, and settles it with the counters, the budget and the rate of its key. */
const settle = [
  items.get("result"),
  items.put("result"),
  items.update("result", "usage", "budget", "rate"),
  items.delete("result"),
];
const readWriteOutputs = { actions: ["s3:GetObject", "s3:PutObject"], resources: [resources.outputs] };

/** Leaves a request for later. */
const defer = [
  { actions: ["s3:PutObject", "s3:DeleteObject"], resources: [resources.requests] },
  { actions: ["sqs:SendMessage"], resources: [requestDeferredQueue.arn] },
];

const { link, environment } = openai(limits.streaming);

export const chat = createFunction("Chat", {
  file: "chat",
  limits: limits.streaming,
  streaming: true,
  link: [...link, requestDeferredQueue],
  environment,
  permissions: [...settle, readWriteOutputs, handOver, ...defer],
});

export const vision = createFunction("Vision", {
  file: "vision",
  limits: limits.streaming,
  streaming: true,
  link: [...link, requestDeferredQueue],
  environment: { ...environment, ...shrinking.environment },
  install: shrinking.install,
  permissions: [
    ...settle,
    readWriteOutputs,
    handOver,
    ...defer,
    { actions: ["s3:GetObject"], resources: [resources.uploads] },
  ],
});

export const openaiApi = createFunction("OpenAI", {
  file: "openai",
  limits: limits.streaming,
  streaming: true,
  link,
  environment,
  permissions: [...settle, readWriteOutputs, handOver],
});

const uploads = createFunction("Uploads", {
  file: "uploads",
  limits: limits.buffered,
  link: [ledger, images],
  environment: { DEFAULT_MODEL: defaultModel },
  permissions: [
    items.put("result"),
    items.update("rate"),
    // A presigned form carries the rights of who signed it.
    { actions: ["s3:PutObject"], resources: [resources.uploads] },
  ],
});

const results = createFunction("Results", {
  file: "results",
  limits: limits.buffered,
  streaming: true,
  link: [ledger, images],
  permissions: [
    items.get("result"),
    items.batchGet("result"),
    items.delete("result", "content"),
    // The receipt of a deleted result.
    items.put("result"),
    items.queryByOwner("ownerResults"),
    { actions: ["s3:GetObject", "s3:DeleteObject"], resources: [resources.outputs] },
    // To delete only the object that is still the one that was analysed, S3 wants both.
    { actions: ["s3:GetObject", "s3:DeleteObject"], resources: [resources.uploads] },
  ],
});

const usage = createFunction("Usage", {
  file: "usage",
  limits: limits.buffered,
  link: [ledger],
  permissions: [items.query("usage")],
});

const schemas = createFunction("Schemas", { file: "schemas", limits: limits.buffered });
const health = createFunction("Health", { file: "health", limits: limits.buffered });
const openapi = createFunction("OpenApi", { file: "openapi", limits: limits.buffered });
const notFound = createFunction("NotFound", { file: "not-found", limits: limits.buffered });

export const authorizerFunction = createFunction("Authorizer", {
  file: "authorizer",
  limits: limits.authorizer,
  link: [ledger],
  permissions: [items.get("key")],
});

const authorizerSettings = {
  name: "Authorizer",
  ttl: limits.authorizer.ttlSeconds,
  identitySource: "method.request.header.Authorization",
};

/**
 * The API's own name, when the stage is deployed with one. Its certificate and DNS records are made in Route 53, unless
 * a certificate is given: then DNS is elsewhere, and its owner's.
 */
function domain() {
  const { DOMAIN: name, DOMAIN_CERTIFICATE: cert } = settings;
  if (!name) return undefined;
  return cert ? { name, cert, dns: false as const } : { name };
}

export const api = new sst.aws.ApiGatewayV1("Api", {
  domain: domain(),
  // Regional: an edge-optimised API closes a silent stream after 30 s.
  endpoint: { type: "regional" },
  // SST's CORS replaces DEFAULT_4XX and DEFAULT_5XX, and a key does not belong in a browser.
  cors: false,
  accessLog: { retention: "1 month" },
  transform: {
    domainName: { securityPolicy: "TLS_1_2" },
    stage: (args) => {
      args.accessLogSettings = $output(args.accessLogSettings).apply((settings) => ({
        destinationArn: settings?.destinationArn ?? "",
        format: JSON.stringify(accessLogFormat),
      }));
    },
    deployment: (args, opts) => {
      // A deployment is a snapshot, and SST takes a new one only when routes change.
      opts.dependsOn = responses;
      args.triggers = $output(args.triggers).apply((triggers) => ({
        ...triggers,
        authorizer: JSON.stringify(authorizerSettings),
        gatewayResponses: JSON.stringify(gatewayResponses),
      }));
    },
  },
});

const authorizer = api.addAuthorizer({ ...authorizerSettings, requestFunction: authorizerFunction.arn });

const keyed = { auth: { custom: authorizer.id } };
const buffered = { transform: { integration: { timeoutMilliseconds: limits.buffered.integrationTimeoutMs } } };
/** What may be larger than the 6 MB of a buffered answer, and takes no longer. */
const large = { ...buffered, streaming: true };
const streamed = {
  streaming: true,
  // SST leaves a streamed integration at 29 s.
  transform: { integration: { timeoutMilliseconds: limits.streaming.integrationTimeoutMs } },
};

api.route("POST /chat", chat.arn, { ...keyed, ...streamed });
api.route("POST /vision", vision.arn, { ...keyed, ...streamed });
api.route("POST /v1/chat/completions", openaiApi.arn, { ...keyed, ...streamed });
api.route("GET /v1/models", openaiApi.arn, { ...keyed, ...streamed });
api.route("GET /v1/models/{model}", openaiApi.arn, { ...keyed, ...streamed });
api.route("POST /uploads", uploads.arn, { ...keyed, ...buffered });
api.route("GET /results", results.arn, { ...keyed, ...large });
api.route("GET /results/{id}", results.arn, { ...keyed, ...large });
api.route("DELETE /results/{id}", results.arn, { ...keyed, ...large });
api.route("GET /usage", usage.arn, { ...keyed, ...buffered });
api.route("GET /schemas", schemas.arn, { ...keyed, ...buffered });
api.route("GET /schemas/{name}", schemas.arn, { ...keyed, ...buffered });
api.route("GET /health", health.arn, buffered);
// A monitor may ask with HEAD, for which API Gateway wants a route of its own.
api.route("HEAD /health", health.arn, buffered);
api.route("GET /openapi.json", openapi.arn, buffered);
// Without it, API Gateway would take a client's key at an unknown path for an AWS signature, and call it a wrong one.
api.route("ANY /{proxy+}", notFound.arn, buffered);

const responses = gatewayResponses.map(
  (settings) =>
    new aws.apigateway.Response(`ApiResponse${settings.responseType}`, { restApiId: api.nodes.api.id, ...settings }),
);

api.deploy();

new aws.apigateway.MethodSettings("ApiThrottling", {
  restApi: api.nodes.api.id,
  stageName: api.nodes.stage?.stageName ?? $app.stage,
  methodPath: "*/*",
  settings: { throttlingRateLimit: limits.throttling.rateLimit, throttlingBurstLimit: limits.throttling.burstLimit },
});
