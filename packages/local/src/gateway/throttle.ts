import type { RouteSpec } from "../manifest.ts";

/**
 * A stage's throttling, as API Gateway does it: for each of its routes a bucket of `burstLimit` tokens that gains `rateLimit` a
 * second. Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html, November 2026.
 *
 * @param nowMs a clock that never goes back
 * @returns takes a token of a route's; false when there is none
 */
export function createThrottle(
  throttling: { burstLimit: number; rateLimit: number } | null,
  nowMs: () => number,
): (route: RouteSpec) => boolean {
  if (throttling === null) return () => true;
  const { burstLimit, rateLimit } = throttling;
  const buckets = new Map<RouteSpec, { tokens: number; filledAtMs: number }>();
  return (route) => {
    const now = nowMs();
    const { tokens, filledAtMs } = buckets.get(route) ?? { tokens: burstLimit, filledAtMs: now };
    const filled = Math.min(burstLimit, tokens + ((now - filledAtMs) / 1000) * rateLimit);
    const isTaken = filled >= 1;
    buckets.set(route, { tokens: isTaken ? filled - 1 : filled, filledAtMs: now });
    return isTaken;
  };
}
