/**
 * Lambda's quotas and the texts that go with them.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, read in November 2026.
 */

/** A synchronous invocation's request: 6 MB. */
export const REQUEST_LIMIT_BYTES = 6 * 1024 * 1024;

/** A buffered response: 6 MB and the 100 bytes that `Function.ResponseSizeTooLarge` names in its message. */
export const BUFFERED_RESPONSE_LIMIT_BYTES = 6_291_556;

/** A streamed response: 200 MB. */
export const STREAMED_RESPONSE_LIMIT_BYTES = 200 * 1024 * 1024;

/** Init has 10 s; a slower one is repeated within the function's own time-out, so the longer of both holds here. */
export const INIT_TIMEOUT_MS = 10_000;
