/**
 * A stage's throttling, as API Gateway does it: a bucket of `burstLimit` tokens that gains `rateLimit` a second.
 *
 * @param nowMs a clock that never goes back
 * @returns takes a token; false when there is none
 */
export function createThrottle(
  throttling: { burstLimit: number; rateLimit: number } | null,
  nowMs: () => number,
): () => boolean {
  if (throttling === null) return () => true;
  const { burstLimit, rateLimit } = throttling;
  let tokens = burstLimit;
  let filledAtMs = nowMs();
  return () => {
    const now = nowMs();
    tokens = Math.min(burstLimit, tokens + ((now - filledAtMs) / 1000) * rateLimit);
    filledAtMs = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
