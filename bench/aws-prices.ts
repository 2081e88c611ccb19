/**
 * What AWS lists for us-east-1, in dollars for one unit, before any free tier or discount for volume. Kept by hand, as of
 * 2026-11. Sources: https://aws.amazon.com/<service>/pricing/, in copies and guides of February to June 2026.
 */
export const awsPrices = {
  /** REST API, the first 333 million a month; a streamed response counts once for each 10 MB. */
  gatewayRequest: 3.5 / 1e6,
  lambdaRequest: 0.2 / 1e6,
  /** arm64, the first 7.5 billion a month. */
  lambdaGbSecond: 0.0000133334,
  /** On demand, since November 2024. */
  dynamodbWriteUnit: 0.625 / 1e6,
  dynamodbReadUnit: 0.125 / 1e6,
  /** PUT, COPY, POST and LIST. DELETE is free. */
  s3Put: 0.005 / 1e3,
  /** GET and all others. */
  s3Get: 0.0004 / 1e3,
  /** Standard queues; every call is one, also one that receives nothing, and one more for each further 64 KB. */
  sqsRequest: 0.4 / 1e6,
  /** CloudWatch Logs, taken in. */
  logGb: 0.5,
  /** From AWS to the internet. Between services of a region it is free. */
  outGb: 0.09,
  /** EventBridge Scheduler. */
  scheduledCall: 1 / 1e6,
} as const;

/** What every account has free each month, for good; what is free for a new account's first months is not here. */
export const alwaysFree = { sqsRequests: 1e6, scheduledCalls: 14e6 } as const;
