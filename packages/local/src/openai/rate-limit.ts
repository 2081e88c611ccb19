/** A generous tier; the numbers tell of this one request and nothing is ever refused for them. */
const LIMIT_REQUESTS = 10_000;
const LIMIT_TOKENS = 10_000_000;
const MINUTE_MS = 60_000;

/** `x-ratelimit-*` as OpenAI writes them, resets like `6ms`, `1.5s` or `6m0s`. */
export function rateLimitHeaders(promptTokens: number): Record<string, string> {
  return {
    "x-ratelimit-limit-requests": String(LIMIT_REQUESTS),
    "x-ratelimit-limit-tokens": String(LIMIT_TOKENS),
    "x-ratelimit-remaining-requests": String(LIMIT_REQUESTS - 1),
    "x-ratelimit-remaining-tokens": String(Math.max(0, LIMIT_TOKENS - promptTokens)),
    "x-ratelimit-reset-requests": durationText(MINUTE_MS / LIMIT_REQUESTS),
    "x-ratelimit-reset-tokens": durationText((promptTokens / LIMIT_TOKENS) * MINUTE_MS),
  };
}

function durationText(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Number(((ms % MINUTE_MS) / 1000).toFixed(3));
  return ms < MINUTE_MS ? `${seconds}s` : `${Math.floor(ms / MINUTE_MS)}m${seconds}s`;
}
