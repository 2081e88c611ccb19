import { type GatewayOptions, startGateway } from "../../../packages/local/src/gateway/gateway.ts";
import type { LambdaOptions } from "../../../packages/local/src/lambda/lambda.ts";
import type { ApiSpec, RouteSpec } from "../../../packages/local/src/manifest.ts";
import { ACCOUNT_ID, type FixtureFunction, REGION, startFunctions } from "../lambda/functions.ts";

/** A route as short as `GET /results/{id}`, with what differs from a buffered, open one. */
export function route(methodAndPath: string, functionName: string, options: Partial<RouteSpec> = {}): RouteSpec {
  const [method = "", path = ""] = methodAndPath.split(" ");
  return {
    method,
    path,
    function: functionName,
    streaming: false,
    integrationTimeoutMs: 29_000,
    authorized: false,
    ...options,
  };
}

/** Starts functions and a REST API before them. */
export async function startApi(
  functions: Record<string, FixtureFunction>,
  api: Partial<ApiSpec> & { routes: RouteSpec[] },
  options: { lambda?: Partial<LambdaOptions>; gateway?: Partial<GatewayOptions> } = {},
) {
  const lambda = await startFunctions(functions, options.lambda);
  const log: string[] = [];
  const gateway = await startGateway({
    port: 0,
    api: {
      name: "Api",
      stageName: "test",
      authorizer: null,
      gatewayResponses: {},
      throttling: null,
      accessLog: { retentionDays: 1, fields: {}, metrics: [] },
      ...api,
    },
    lambda,
    accountId: ACCOUNT_ID,
    region: REGION,
    log: (_requestId, line) => log.push(line),
    ...options.gateway,
  });
  return {
    url: gateway.url,
    lambda,
    log,
    fetch: (path: string, init?: RequestInit) => fetch(gateway.url + path, init),
    async stop() {
      await gateway.stop();
      await lambda.stop();
    },
  };
}

/** A function that answers with the event that it was given. */
export const ECHO: FixtureFunction = {
  source: "export const handler = async (event: any) => ({ statusCode: 200, body: JSON.stringify(event) });",
};
