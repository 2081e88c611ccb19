import type { ApiSpec } from "../manifest.ts";
import type { GatewayFailure } from "./failure.ts";
import type { ProxyEvent } from "./proxy-event.ts";

export interface GatewayResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

const DEFAULT_TEMPLATE = '{"message":$context.error.messageString}';
/** REST APIs write the key with a capital here, and only here. */
const ACCESS_DENIED_TEMPLATE = '{"Message":$context.error.messageString}';
const HEADER_PREFIX = "gatewayresponse.header.";

/**
 * Writes the answer to a failure as the API configures it: by its own type, else by DEFAULT_4XX or DEFAULT_5XX, else as
 * API Gateway does by default.
 */
export function gatewayResponse(
  configured: ApiSpec["gatewayResponses"],
  failure: GatewayFailure,
  event: Pick<ProxyEvent, "headers" | "requestContext">,
): GatewayResponse {
  const family = failure.statusCode < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX";
  const spec = configured[failure.responseType] ?? configured[family];
  const context = {
    ...event.requestContext,
    error: {
      message: failure.clientMessage,
      messageString: JSON.stringify(failure.clientMessage),
      responseType: failure.responseType,
    },
  };
  const fallback = failure.responseType === "ACCESS_DENIED" ? ACCESS_DENIED_TEMPLATE : DEFAULT_TEMPLATE;
  const [contentType = "application/json", template = fallback] =
    Object.entries(spec?.templates ?? {}).find(([type]) => type === "application/json") ??
    Object.entries(spec?.templates ?? {})[0] ??
    [];
  const headers: Record<string, string> = { "Content-Type": contentType, "x-amzn-ErrorType": failure.errorType };
  for (const [target, source] of Object.entries(spec?.parameters ?? {})) {
    if (target.startsWith(HEADER_PREFIX)) {
      headers[target.slice(HEADER_PREFIX.length)] = parameter(source, context, event.headers);
    }
  }
  return { statusCode: spec?.statusCode ?? failure.statusCode, headers, body: fill(template, context) };
}

/** `'literal'`, `context.requestId` or `method.request.header.Name`. */
function parameter(source: string, context: object, headers: Record<string, string>): string {
  if (source.startsWith("'")) return source.slice(1, -1);
  if (source.startsWith("context.")) return lookUp(context, source.slice("context.".length));
  const name = /^method\.request\.header\.(.+)$/.exec(source)?.[1]?.toLowerCase();
  return Object.entries(headers).find(([header]) => header.toLowerCase() === name)?.[1] ?? "";
}

/** Gateway responses know variables and nothing else of the template language. */
function fill(template: string, context: object): string {
  return template.replaceAll(/\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)/g, (_, path: string) => lookUp(context, path));
}

function lookUp(context: object, path: string): string {
  const value = path
    .split(".")
    .reduce<unknown>(
      (part, key) => (typeof part === "object" && part !== null ? Reflect.get(part, key) : null),
      context,
    );
  return value === null || value === undefined ? "" : String(value);
}
