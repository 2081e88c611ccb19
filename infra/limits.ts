/**
 * The one table of time-outs, sizes and concurrency. Plain numbers, so that infrastructure, the functions' environment and
 * the tests read the same ones. Each must fit inside the next, which test/infra/time-budget.test.ts asserts:
 *
 *     HTTP    one OpenAI attempt 280 s < all of them 290 s < gateway idle 300 s < function 900 s = integration 900 s
 *     upload  one OpenAI attempt 120 s = all of them < function 180 s < visibility 1080 s = 6 × function
 *     later   one OpenAI attempt 870 s = all of them < function 900 s < visibility 5400 s = 6 × function
 *     sweep   visibility of any queue < grace of what came from one
 */

/** Of AWS, not ours to choose. Sources: API Gateway, Lambda, SQS and S3 quotas, November 2026. */
export const quotas = {
  /** A buffered integration of a REST API, without asking for a quota increase. */
  bufferedIntegrationTimeoutMs: 29_000,
  /** A streamed integration. */
  streamingIntegrationTimeoutMs: 900_000,
  /** How long a streamed response of a regional API may stay silent before API Gateway closes it. */
  streamingIdleTimeoutMs: 300_000,
  /** The longest that a Lambda function may run. */
  functionTimeoutMs: 900_000,
  /** A request that Lambda accepts, as base64 and JSON: larger images go through `POST /uploads`. */
  functionRequestBytes: 6 * 1024 * 1024,
  /** AWS's own advice for a queue that feeds a function: retries of a throttled batch must fit in. */
  visibilityPerFunctionTimeout: 6,
};

/** Functions behind streamed routes: they call OpenAI and answer over HTTP. */
export const streaming = {
  openaiAttemptTimeoutMs: 280_000,
  /** Below the gateway's idle limit, so that a silent OpenAI ends as our 504 and not as a cut connection. */
  openaiBudgetMs: 290_000,
  openaiMaxAttempts: 3,
  functionTimeoutMs: quotas.functionTimeoutMs,
  integrationTimeoutMs: quotas.streamingIntegrationTimeoutMs,
  memoryMb: 1024,
};

/** Functions that read and write our own table only, behind buffered routes unless what they read is large. */
export const buffered = {
  functionTimeoutMs: 20_000,
  integrationTimeoutMs: quotas.bufferedIntegrationTimeoutMs,
  memoryMb: 512,
};

/** The authorizer stands before every request: it reads one item, or fails fast. */
export const authorizer = {
  functionTimeoutMs: 5_000,
  memoryMb: 512,
  /** How long API Gateway remembers a key, and so how long a revoked key still works. */
  ttlSeconds: 60,
};

const imageUploadedTimeoutMs = 180_000;

/** S3 → SQS → function. */
export const pipeline = {
  openaiAttemptTimeoutMs: 120_000,
  openaiBudgetMs: 120_000,
  /** SQS retries; a second layer that retries would multiply with it. */
  openaiMaxAttempts: 1,
  functionTimeoutMs: imageUploadedTimeoutMs,
  visibilityTimeoutMs: quotas.visibilityPerFunctionTimeout * imageUploadedTimeoutMs,
  /** Receives before a message goes to the dead-letter queue. AWS advises at least 5 for a throttled function. */
  maxReceiveCount: 5,
  /** Longer than the 4 days of the queue itself, since a message keeps its first date when it is moved. */
  deadLetterRetentionDays: 14,
  /**
   * A batch is worked on at once. An image is held as its bytes alone, and becomes base64 while it is sent: with ten of 20 MB
   * the process has up to 375 MB (`npm run bench:images`). Lambda gives as much processor as memory, all of one at 1,769 MB
   * and here 0.29: sending ten such takes 1.2 s of a whole one, TLS not counted. That is seconds here, of the 180 in which an
   * invocation mostly waits for OpenAI: more memory would be paid for while it waits.
   */
  batchSize: 10,
  memoryMb: 512,
  /** Functions at work at once: the back-pressure on OpenAI's rate limit, 50 images in flight. */
  maximumConcurrency: 5,
};

/** `Prefer: respond-async` → SQS → function. */
export const deferred = {
  /** As long as a function can wait: reasoning models think for minutes. */
  openaiAttemptTimeoutMs: 870_000,
  openaiBudgetMs: 870_000,
  /** SQS retries. */
  openaiMaxAttempts: 1,
  functionTimeoutMs: quotas.functionTimeoutMs,
  visibilityTimeoutMs: quotas.visibilityPerFunctionTimeout * quotas.functionTimeoutMs,
  maxReceiveCount: 5,
  deadLetterRetentionDays: 14,
  /** Longer than a dead message, which may be redriven. A request is removed with its result's settlement, well before. */
  requestRetentionDays: 15,
  /** A function that waits for the slowest of several requests would keep the others' messages as long. */
  batchSize: 1,
  memoryMb: 1024,
  /** Requests in flight. */
  maximumConcurrency: 20,
};

const settleLaterTimeoutMs = 60_000;

/** A settlement that the table did not take → SQS → function. */
export const settleLater = {
  functionTimeoutMs: settleLaterTimeoutMs,
  visibilityTimeoutMs: quotas.visibilityPerFunctionTimeout * settleLaterTimeoutMs,
  /** SQS's own limit. The provider would make it 256 KiB, too little for an answer that was paid for. */
  maxMessageBytes: 1024 * 1024,
  /** The fifth and every later receive comes 15 minutes after the one before: a day in all. */
  maxReceiveCount: 100,
  deadLetterRetentionDays: 14,
  batchSize: 10,
  memoryMb: 512,
  /** Gentle on a table that is just coming back. */
  maximumConcurrency: 2,
};

/** The schedule that ends what an attempt left behind that died. */
export const sweep = {
  functionTimeoutMs: 60_000,
  memoryMb: 512,
  everyMinutes: 5,
  /** After the lease. A client that lost its connection may ask again meanwhile. */
  httpGraceMs: 60_000,
  /** After the lease. The queue brings the work back first, unless that was its last receive. */
  queueGraceMs: 2 * deferred.visibilityTimeoutMs,
};

/** Between the receives of a message whose work failed: 5 s, 30 s, 3 and 15 minutes (packages/functions/src/queue.ts). */
const waitsMs = (5 + 30 + 3 * 60 + 15 * 60) * 1000;
/** How old a message gets whose work takes the function's whole time at five receives. */
const fiveReceivesMs = (functionTimeoutMs: number) => 5 * functionTimeoutMs + waitsMs;

/** When the operator is told. */
export const alarms = {
  /** Over how long is counted, where nothing else is said. */
  periodMinutes: 5,
  /** The oldest message of a queue's backlog: as old as a message gets only when it fails again and again. */
  queueAgeMs: {
    imageUploaded: fiveReceivesMs(pipeline.functionTimeoutMs),
    requestDeferred: fiveReceivesMs(deferred.functionTimeoutMs),
  },
  /** Half an hour. A settlement that the table takes at its first receives is gone after a minute. */
  settlementsWaitingPeriods: 6,
  /** Of a period's requests. OpenAI's own bad moments, which clients repeat, stay below. */
  serverErrors: { atLeast: 5, percent: 5 },
  /** Of a period's requests. A client that once sends too many at a time stays below. */
  apiThrottled: 100,
};

/**
 * Requests a second for each route, before API Gateway answers 429 itself: a stage's limits hold at the level of its methods, each
 * by itself. Source: "Throttle requests to your REST APIs", API Gateway developer guide, November 2026.
 */
export const throttling = { rateLimit: 100, burstLimit: 200 };
