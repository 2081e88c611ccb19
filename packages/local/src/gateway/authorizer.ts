import type { Lambda } from "../lambda/lambda.ts";
import type { AuthorizerSpec } from "../manifest.ts";
import { GatewayFailure } from "./failure.ts";
import { type Decision, decide, parsePolicy } from "./policy.ts";
import type { ApiIdentity, ProxyEvent } from "./proxy-event.ts";

/** What an authorizer said of a caller. The policy may cover more methods than the one asked for. */
interface Verdict {
  principalId: string;
  policy: ReturnType<typeof parsePolicy>;
  context: Record<string, string>;
}

/** How long API Gateway waits for an authorizer: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html. */
const AUTHORIZER_TIMEOUT_MS = 29_000;

/**
 * Makes the function that asks a REQUEST authorizer whether a request may pass.
 *
 * @returns what stands in `requestContext.authorizer`
 * @throws GatewayFailure UNAUTHORIZED, ACCESS_DENIED, AUTHORIZER_FAILURE, AUTHORIZER_CONFIGURATION_ERROR
 */
export function createAuthorizer(options: {
  spec: AuthorizerSpec;
  lambda: Pick<Lambda, "invoke">;
  api: ApiIdentity;
  /** Milliseconds. */
  now(): number;
}): (event: ProxyEvent) => Promise<Record<string, unknown>> {
  const { spec, lambda, api, now } = options;
  const cache = new Map<string, { verdict: Verdict; expiresAtMs: number }>();

  const cached = (key: string) => {
    const entry = cache.get(key);
    return entry !== undefined && entry.expiresAtMs > now() ? entry.verdict : null;
  };
  const remember = (key: string, verdict: Verdict) => {
    if (spec.resultTtlSeconds === 0) return;
    for (const [old, { expiresAtMs }] of cache) if (expiresAtMs <= now()) cache.delete(old);
    cache.set(key, { verdict, expiresAtMs: now() + spec.resultTtlSeconds * 1000 });
  };

  return async (event) => {
    const identity = spec.identitySources.map((source) => identityOf(source, event));
    if (identity.some((value) => !value)) throw new GatewayFailure("UNAUTHORIZED");
    const methodArn = methodArnOf(event, api);
    const key = JSON.stringify(identity);
    const startedAtMs = now();
    let verdict = cached(key);
    if (verdict === null) {
      verdict = await ask(lambda, spec.function, authorizerEvent(event, methodArn));
      remember(key, verdict);
    }
    refuseUnlessAllowed(decide(verdict.policy, methodArn));
    return { ...verdict.context, principalId: verdict.principalId, integrationLatency: now() - startedAtMs };
  };
}

function refuseUnlessAllowed(decision: Decision) {
  if (decision === "deny") throw new GatewayFailure("ACCESS_DENIED");
  if (decision === "explicit deny") {
    const message = "User is not authorized to access this resource with an explicit deny";
    throw new GatewayFailure("ACCESS_DENIED", { message });
  }
}

async function ask(lambda: Pick<Lambda, "invoke">, functionName: string, event: unknown): Promise<Verdict> {
  let result: Awaited<ReturnType<Lambda["invoke"]>>;
  try {
    result = await lambda.invoke(functionName, event, { signal: AbortSignal.timeout(AUTHORIZER_TIMEOUT_MS) });
  } catch (cause) {
    throw new GatewayFailure("AUTHORIZER_FAILURE", { cause });
  }
  if (!result.ok) {
    // The one error that a function may use to say 401: the text is the contract.
    if (errorMessageOf(result.payload) === "Unauthorized") throw new GatewayFailure("UNAUTHORIZED");
    throw new GatewayFailure("AUTHORIZER_FAILURE", { cause: result.payload });
  }
  try {
    return parseVerdict(JSON.parse(result.payload));
  } catch (cause) {
    throw new GatewayFailure("AUTHORIZER_CONFIGURATION_ERROR", { cause });
  }
}

function errorMessageOf(payload: string): unknown {
  try {
    return Object(JSON.parse(payload)).errorMessage;
  } catch {
    return undefined;
  }
}

function parseVerdict(answer: unknown): Verdict {
  if (typeof answer !== "object" || answer === null) throw new Error("the authorizer returned no object");
  const principalId = Reflect.get(answer, "principalId");
  if (typeof principalId !== "string") throw new Error("the authorizer returned no principalId");
  const context = new Map<string, string>();
  for (const [name, value] of Object.entries(Reflect.get(answer, "context") ?? {})) {
    if (typeof value === "object") throw new Error(`context.${name} is neither a string, a number nor a boolean`);
    context.set(name, String(value));
  }
  const policy = parsePolicy(Reflect.get(answer, "policyDocument"));
  return { principalId, policy, context: Object.fromEntries(context) };
}

/**
 * An authorizer gets empty objects where an integration gets nulls, and no body.
 * Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html, November 2026.
 */
function authorizerEvent(event: ProxyEvent, methodArn: string) {
  return {
    type: "REQUEST",
    methodArn,
    ...event,
    queryStringParameters: event.queryStringParameters ?? {},
    multiValueQueryStringParameters: event.multiValueQueryStringParameters ?? {},
    pathParameters: event.pathParameters ?? {},
    stageVariables: event.stageVariables ?? {},
  };
}

function methodArnOf(event: ProxyEvent, { region, accountId, apiId, stageName }: ApiIdentity): string {
  return `arn:aws:execute-api:${region}:${accountId}:${apiId}/${stageName}/${event.httpMethod}${event.path}`;
}

/** The value of `method.request.header.X`, `method.request.querystring.x` or `context.x`. */
function identityOf(source: string, event: ProxyEvent): string | undefined {
  const [, kind, name = ""] =
    /^(method\.request\.header|method\.request\.querystring|context)\.(.+)$/.exec(source) ?? [];
  if (kind === "method.request.header") {
    return Object.entries(event.headers).find(([header]) => header.toLowerCase() === name.toLowerCase())?.[1];
  }
  if (kind === "method.request.querystring") {
    const parameters = event.queryStringParameters ?? {};
    return Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  }
  const value = kind === "context" ? Reflect.get(event.requestContext, name) : undefined;
  return value === undefined || value === null ? undefined : String(value);
}
