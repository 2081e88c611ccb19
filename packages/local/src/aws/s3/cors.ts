import type { IncomingMessage } from "node:http";
import type { BucketSpec, CorsRule } from "../../manifest.ts";
import { S3Error } from "./error.ts";

type Headers = Record<string, string>;

// Sources for this file: "Using cross-origin resource sharing" in the S3 user guide, and what LocalStack's tests recorded of AWS
// (tests/aws/services/s3/test_s3_cors.snapshot.json, 2023). Both read in November 2026.

/** What S3 adds to its answer for a page of another origin. Empty when no rule of the bucket allows the request. */
export function corsHeaders(bucket: BucketSpec | undefined, { method = "GET", headers }: IncomingMessage): Headers {
  const { origin } = headers;
  const rule = origin === undefined ? undefined : bucket?.cors.find((each) => allows(each, origin, method, []));
  return rule && origin !== undefined ? headersOf(rule, origin) : {};
}

/** The headers that answer a browser's `OPTIONS`. Throws S3Error. */
export function preflight(bucket: BucketSpec | undefined, key: string, { headers }: IncomingMessage): Headers {
  const { origin } = headers;
  const method = headers["access-control-request-method"];
  if (origin === undefined) {
    throw new S3Error(400, "BadRequest", "Insufficient information. Origin request header needed.");
  }
  const forbidden = (reason: string) =>
    new S3Error(403, "AccessForbidden", `CORSResponse: ${reason}`, {
      Method: method ?? "OPTIONS",
      ResourceType: key === "" ? "BUCKET" : "OBJECT",
    });
  if (!bucket) throw forbidden("Bucket not found");
  if (bucket.cors.length === 0) throw forbidden("CORS is not enabled for this bucket.");
  if (method === undefined) throw new S3Error(400, "BadRequest", "Invalid Access-Control-Request-Method: null");
  const asked = namesIn(headers["access-control-request-headers"]);
  const rule = bucket.cors.find((each) => allows(each, origin, method, asked));
  if (rule) {
    return {
      ...headersOf(rule, origin),
      ...(asked.length > 0 && { "access-control-allow-headers": asked.join(", ") }),
    };
  }
  // AWS writes "evalution".
  throw forbidden(
    "This CORS request is not allowed. This is usually because the evalution of Origin, request method / " +
      "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
  );
}

function allows(rule: CorsRule, origin: string, method: string, headers: string[]): boolean {
  return (
    rule.allowedOrigins.some((pattern) => matches(origin, pattern)) &&
    rule.allowedMethods.includes(method) &&
    headers.every((name) => rule.allowedHeaders.some((pattern) => matches(name, pattern.toLowerCase())))
  );
}

/** A rule that allows every origin says `*`, and then a browser sends no cookies. Any other rule names the origin. */
function headersOf(rule: CorsRule, origin: string): Headers {
  const everyOrigin = rule.allowedOrigins.find((pattern) => matches(origin, pattern)) === "*";
  return {
    "access-control-allow-origin": everyOrigin ? "*" : origin,
    "access-control-allow-methods": rule.allowedMethods.join(", "),
    ...(!everyOrigin && { "access-control-allow-credentials": "true" }),
    ...(rule.exposeHeaders.length > 0 && { "access-control-expose-headers": rule.exposeHeaders.join(", ") }),
    ...(rule.maxAgeSeconds > 0 && { "access-control-max-age": String(rule.maxAgeSeconds) }),
    vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
}

/** A pattern has at most one `*`, which stands for any text. */
function matches(text: string, pattern: string): boolean {
  const [start = "", end] = pattern.split("*");
  if (end === undefined) return text === pattern;
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}

function namesIn(list: string | undefined): string[] {
  return (list ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
}
