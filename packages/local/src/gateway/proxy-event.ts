import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { RouteMatch } from "./router.ts";

/** What a REST API tells its functions about itself. */
export interface ApiIdentity {
  apiId: string;
  stageName: string;
  accountId: string;
  region: string;
}

/** The event of a REST API's Lambda proxy integration, but for the body. */
export type ProxyEvent = ReturnType<typeof createProxyEvent>;

/** Ten characters of an API's name, as API Gateway's ids look, the same at every start. */
export function apiIdOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 10);
}

/** These describe the connection to API Gateway, not the request: they never reach the function. */
const HOP_HEADERS = new Set([
  ...["connection", "content-length", "expect", "keep-alive", "proxy-connection"],
  ...["te", "trailer", "transfer-encoding", "upgrade"],
]);

/**
 * Writes a request as a REST API hands it to functions and authorizers.
 * Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html, November 2026.
 */
export function createProxyEvent(request: IncomingMessage, api: ApiIdentity, match: RouteMatch | null) {
  const [path = "/", ...query] = (request.url ?? "/").split("?");
  const multiValueHeaders = headersOf(request);
  const headers = lastOf(multiValueHeaders);
  const multiValueQuery = valuesByName(new URLSearchParams(query.join("?")));
  const hasQuery = Object.keys(multiValueQuery).length > 0;
  const pathParameters = match?.pathParameters ?? {};
  const method = request.method ?? "GET";
  const now = new Date();
  return {
    resource: match?.resourcePath ?? "",
    path,
    httpMethod: method,
    headers,
    multiValueHeaders,
    queryStringParameters: hasQuery ? lastOf(multiValueQuery) : null,
    multiValueQueryStringParameters: hasQuery ? multiValueQuery : null,
    pathParameters: Object.keys(pathParameters).length > 0 ? pathParameters : null,
    stageVariables: null,
    requestContext: {
      accountId: api.accountId,
      apiId: api.apiId,
      authorizer: undefined as Record<string, unknown> | undefined,
      deploymentId: "local",
      domainName: request.headers.host ?? "",
      domainPrefix: api.apiId,
      extendedRequestId: `${randomBytes(11).toString("base64url")}=`,
      httpMethod: method,
      identity: {
        accessKey: null,
        accountId: null,
        caller: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: request.socket.remoteAddress ?? "",
        user: null,
        userAgent: request.headers["user-agent"] ?? null,
        userArn: null,
      },
      path,
      protocol: `HTTP/${request.httpVersion}`,
      requestId: randomUUID(),
      requestTime: requestTime(now),
      requestTimeEpoch: now.getTime(),
      resourceId: createHash("sha256")
        .update(match?.resourcePath ?? "")
        .digest("hex")
        .slice(0, 6),
      resourcePath: match?.resourcePath ?? "",
      stage: api.stageName,
    },
  };
}

/** The client's headers as it wrote them, and those that API Gateway adds. */
function headersOf(request: IncomingMessage): Record<string, string[]> {
  const byName = new Map<string, string[]>();
  const nameOf = new Map<string, string>();
  const add = (name: string, value: string) => {
    const lowerCase = name.toLowerCase();
    if (HOP_HEADERS.has(lowerCase)) return;
    const known = nameOf.get(lowerCase) ?? name;
    nameOf.set(lowerCase, known);
    byName.set(known, [...(byName.get(known) ?? []), value]);
  };
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    add(request.rawHeaders[i] ?? "", request.rawHeaders[i + 1] ?? "");
  }
  add("X-Amzn-Trace-Id", `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString("hex")}`);
  add("X-Forwarded-For", request.socket.remoteAddress ?? "");
  add("X-Forwarded-Port", String(request.socket.localPort ?? ""));
  add("X-Forwarded-Proto", "http");
  return Object.fromEntries(byName);
}

/** A name may be anything, `constructor` and `__proto__` too: only `Object.fromEntries` makes each a property of its own. */
function valuesByName(pairs: Iterable<[string, string]>): Record<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const [name, value] of pairs) byName.set(name, [...(byName.get(name) ?? []), value]);
  return Object.fromEntries(byName);
}

function lastOf(multiValue: Record<string, string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(multiValue).map(([name, values]) => [name, values.at(-1) ?? ""]));
}

/** `22/Nov/2026:09:00:00 +0000`. */
function requestTime(date: Date): string {
  const [, day, month, year, time] = date.toUTCString().split(" ");
  return `${day}/${month}/${year}:${time} +0000`;
}
