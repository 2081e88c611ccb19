import type { AccessLogSpec, ApiSpec, AuthorizerSpec, GatewayResponseSpec, RouteSpec } from "../manifest.ts";
import type { All, Parsed } from "./inputs.ts";
import { byName, compare } from "./order.ts";
import { VisibleError } from "./visible-error.ts";

/** The REST API: its routes, authorizer, gateway responses and throttling. */
export function readApi(all: All, functionOf: (arn: string) => string): ApiSpec {
  const api = one(all("aws:apigateway/restApi:RestApi"), "REST API");
  const stage = one(all("aws:apigateway/stage:Stage"), "stage of the API");
  const [settings] = all("aws:apigateway/methodSettings:MethodSettings");
  return {
    name: api.inputs.name,
    stageName: stage.inputs.stageName,
    routes: readRoutes(all, functionOf),
    authorizer: readAuthorizer(all, functionOf),
    gatewayResponses: byName(all("aws:apigateway/response:Response").map(readResponse)),
    throttling: settings
      ? {
          burstLimit: settings.inputs.settings.throttlingBurstLimit,
          rateLimit: settings.inputs.settings.throttlingRateLimit,
        }
      : null,
    accessLog: readAccessLog(all, stage.inputs.accessLogSettings),
  };
}

function readAccessLog(
  all: All,
  { destinationArn, format }: { destinationArn: string; format: string },
): AccessLogSpec {
  const log = all("aws:cloudwatch/logGroup:LogGroup").find(({ arn }) => arn === destinationArn);
  if (!log) throw new VisibleError(`The API writes its log to ${destinationArn}, which infra/ does not make.`);
  return {
    retentionDays: log.inputs.retentionInDays,
    fields: JSON.parse(format),
    metrics: all("aws:cloudwatch/logMetricFilter:LogMetricFilter")
      .filter(({ inputs }) => inputs.logGroupName === log.inputs.name)
      .map(({ inputs: { pattern, metricTransformation } }) => {
        const { namespace, name: metric, dimensions } = metricTransformation;
        return { pattern, namespace, metric, dimensions };
      }),
  };
}

function readRoutes(all: All, functionOf: (arn: string) => string): RouteSpec[] {
  const resources = new Map(all("aws:apigateway/resource:Resource").map(({ name, inputs }) => [name, inputs]));
  const pathOf = (resourceId: string): string => {
    const resource = resources.get(resourceId);
    return resource ? `${pathOf(resource.parentId)}/${resource.pathPart}` : "";
  };
  const integrations = all("aws:apigateway/integration:Integration");

  return all("aws:apigateway/method:Method")
    .map(({ inputs: { resourceId, httpMethod, authorization } }) => {
      const path = pathOf(resourceId) || "/";
      const integration = integrations.find(
        ({ inputs }) => inputs.resourceId === resourceId && inputs.httpMethod === httpMethod,
      );
      if (!integration) throw new VisibleError(`${httpMethod} ${path} has no integration.`);
      return {
        method: httpMethod,
        path,
        function: functionOf(invokedArn(integration.inputs.uri)),
        streaming: integration.inputs.responseTransferMode === "STREAM",
        integrationTimeoutMs: integration.inputs.timeoutMilliseconds,
        authorized: authorization === "CUSTOM",
      };
    })
    .sort((a, b) => compare(a.path, b.path) || compare(a.method, b.method));
}

function readAuthorizer(all: All, functionOf: (arn: string) => string): AuthorizerSpec | null {
  const authorizers = all("aws:apigateway/authorizer:Authorizer");
  if (authorizers.length === 0) return null;
  const { inputs } = one(authorizers, "authorizer");
  return {
    function: functionOf(invokedArn(inputs.authorizerUri)),
    identitySources: inputs.identitySource.split(",").map((source) => source.trim()),
    resultTtlSeconds: inputs.authorizerResultTtlInSeconds,
  };
}

function readResponse({ inputs }: Parsed<"aws:apigateway/response:Response">): [string, GatewayResponseSpec] {
  return [
    inputs.responseType,
    {
      statusCode: inputs.statusCode ? Number(inputs.statusCode) : null,
      parameters: inputs.responseParameters,
      templates: inputs.responseTemplates,
    },
  ];
}

/** `arn:aws:apigateway:…:path/2015-03-31/functions/<function's ARN>/invocations` → the function's ARN. */
function invokedArn(uri: string) {
  const arn = /\/functions\/(arn:[^/]+)\//.exec(uri)?.[1];
  if (!arn) throw new VisibleError(`${uri} is not the invocation of a function.`);
  return arn;
}

function one<T>(found: T[], what: string): T {
  const [first] = found;
  if (!first || found.length > 1)
    throw new VisibleError(`The local stage has one ${what}; infra/ makes ${found.length}.`);
  return first;
}
