import { environmentOf } from "@tollgate/local/environment";
import { type FunctionSpec, readManifest } from "@tollgate/local/manifest";
import type { Services } from "./services.ts";

/** A function to measure. */
export interface Subject {
  name: string;
  spec: Pick<FunctionSpec, "handler" | "build">;
  environment: Record<string, string>;
  /** As JSON, in which `{n}` stands for its number. */
  event: string;
}

export const region = "us-east-1";
export const credentials = { accessKeyId: "ASIABENCH", secretAccessKey: "bench" };
export const apiKey = `tg-${"k".repeat(43)}`;
export const owner = "acme";
export const resultId = `res_${"0".repeat(26)}`;
export const alternativesTable = "alternatives";

/** What API Gateway hands to a function behind a REST API. */
function requestEvent(method: string, resource: string, body: object | null, params: Record<string, string> = {}) {
  const headers: Record<string, string> = {
    Accept: "*/*",
    Authorization: `Bearer ${apiKey}`,
    "Content-Type": "application/json",
    Host: "abcdefghij.execute-api.us-east-1.amazonaws.com",
    "Idempotency-Key": "order-{n}",
    "User-Agent": "curl/8.14.1",
    "X-Amzn-Trace-Id": "Root=1-69253a80-000000000000000000000000",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
  };
  const path = Object.entries(params).reduce((path, [name, value]) => path.replace(`{${name}}`, value), resource);
  return {
    resource,
    path,
    httpMethod: method,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: Object.keys(params).length > 0 ? params : null,
    stageVariables: null,
    requestContext: {
      accountId: "000000000000",
      apiId: "abcdefghij",
      authorizer: { principalId: "key_1", key_id: "key_1", owner },
      httpMethod: method,
      identity: { sourceIp: "192.0.2.1", userAgent: "curl/8.14.1" },
      path: `/production${path}`,
      protocol: "HTTP/1.1",
      requestId: "00000000-0000-0000-0000-{n}",
      requestTimeEpoch: 1_795_000_000_000,
      resourceId: "abc123",
      resourcePath: resource,
      stage: "production",
    },
    body: body && JSON.stringify(body),
    isBase64Encoded: false,
  };
}

const chat = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Say hello. This is number {n}." }] };
const chatEvent = requestEvent("POST", "/chat", chat);

const authorizerEvent = {
  ...chatEvent,
  type: "REQUEST",
  methodArn: "arn:aws:execute-api:us-east-1:000000000000:abcdefghij/production/POST/chat",
};

/** Our functions, as the local stage starts them: bundle, environment and links are those of `infra/manifest.json`. */
function ours(root: string, services: Services): Subject[] {
  const manifest = readManifest(root);
  const events: Record<string, { name: string; event: object }> = {
    Chat: { name: "chat", event: chatEvent },
    Authorizer: { name: "authorizer", event: authorizerEvent },
    Results: { name: "results", event: requestEvent("GET", "/results/{id}", null, { id: resultId }) },
  };
  return Object.entries(events).map(([functionName, { name, event }]) => {
    const spec = manifest.functions[functionName];
    if (!spec) throw new Error(`infra/manifest.json has no function ${functionName}.`);
    const unused = "http://127.0.0.1:9";
    return {
      name,
      spec,
      environment: environmentOf(spec, manifest, credentials, {
        region,
        endpoints: { dynamodb: services.dynamodb, s3: unused, sqs: unused },
        queueUrl: (queue) => `${unused}/000000000000/${queue}`,
        secrets: { OpenAIApiKey: "sk-bench" },
        openai: { OPENAI_BASE_URL: services.openai },
      }),
      event: JSON.stringify(event),
    };
  });
}

/** SST's own defaults, which minify nothing. */
const byDefault = { minify: false, splitting: false, keepNames: true };

/** What people write instead, each in a file of bench/alternatives/src. */
function alternatives(services: Services): Subject[] {
  const environment = {
    OPENAI_API_KEY: "sk-bench",
    OPENAI_BASE_URL: services.openai,
    TABLE_NAME: alternativesTable,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: services.dynamodb,
  };
  const alternative = (name: string, file: string, minify = false): Subject => ({
    name,
    spec: { handler: `bench/alternatives/src/${file}.handler`, build: { ...byDefault, minify } },
    environment,
    event: JSON.stringify(chatEvent),
  });
  return [
    alternative("naive", "naive"),
    alternative("naive, minified", "naive", true),
    alternative("bare fetch", "fetch"),
  ];
}

export const subjects = (root: string, services: Services): Subject[] => [
  ...alternatives(services),
  ...ours(root, services),
];
