// What the measured functions are sent: events as JSON, in which `{n}` stands for an event's number.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { apiKey, owner, resultId } from "./known.ts";

interface Request {
  /** API Gateway's resource, `/results/{id}`, and the values of its parameters. */
  resource: string;
  params?: Record<string, string>;
  body?: object;
}

/** What API Gateway hands to a function behind a REST API. */
function requestEvent(method: string, { resource, params = {}, body }: Request) {
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
    body: body ? JSON.stringify(body) : null,
    isBase64Encoded: false,
  };
}

const get = (resource: string, params?: Record<string, string>) => requestEvent("GET", { resource, params });
const post = (resource: string, body: object) => requestEvent("POST", { resource, body });

const chat = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Say hello. This is number {n}." }] };

/** @param root the repository's root, whose photos are looked at */
export function events(root: string) {
  const image = { data: readFileSync(join(root, "examples/photos/rocket.jpg"), "base64") };
  return {
    chat: post("/chat", chat),
    stream: post("/v1/chat/completions", { ...chat, stream: true }),
    vision: post("/vision", { images: [image], prompt: "What is this? This is number {n}." }),
    models: get("/v1/models"),
    authorizer: {
      ...post("/chat", chat),
      type: "REQUEST",
      methodArn: "arn:aws:execute-api:us-east-1:000000000000:abcdefghij/production/POST/chat",
    },
    uploads: post("/uploads", { content_type: "image/jpeg" }),
    results: get("/results/{id}", { id: resultId }),
    usage: get("/usage"),
    schemas: get("/schemas"),
    health: get("/health"),
    openapi: get("/openapi.json"),
  };
}
