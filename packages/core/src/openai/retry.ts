import { AppError } from "../error.ts";
import type { Failure } from "./error.ts";

export interface RetryOptions {
  /** The longest one attempt may take. */
  attemptTimeoutMs: number;
  /** 1 where another layer retries, such as a queue. */
  maxAttempts: number;
  now: () => number;
  random: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** How many attempts an answer took, and how many of them OpenAI may have billed although no usage reached us. */
export interface Attempts {
  attempts: number;
  possiblyBilledAttempts: number;
}

/** No attempt succeeded. `error` is what the caller may see. */
export class UpstreamFailure extends Error {
  readonly error: AppError;
  readonly attempts: number;
  readonly possiblyBilledAttempts: number;

  constructor(error: AppError, { attempts, possiblyBilledAttempts }: Attempts) {
    super(error.message, { cause: error });
    this.name = "UpstreamFailure";
    this.error = error;
    this.attempts = attempts;
    this.possiblyBilledAttempts = possiblyBilledAttempts;
  }
}

/** An attempt that gets less time than this is not worth its price. */
const minAttemptMs = 1_000;
const firstBackoffMs = 500;
const maxBackoffMs = 8_000;

/**
 * Tries until an attempt succeeds, fails for good, or the deadline (epoch milliseconds) would pass. Waits as long as OpenAI
 * says, however long, or else exponentially with jitter. Throws `UpstreamFailure`.
 */
export async function withRetries<T extends object>(
  options: RetryOptions,
  deadlineMs: number,
  attempt: (timeoutMs: number) => Promise<T | Failure>,
): Promise<T & Attempts> {
  let possiblyBilledAttempts = 0;
  for (let attempts = 1; ; attempts++) {
    const leftMs = deadlineMs - options.now();
    if (leftMs < minAttemptMs) {
      const error = new AppError("upstream_timeout", "No time was left to ask OpenAI.");
      throw new UpstreamFailure(error, { attempts: attempts - 1, possiblyBilledAttempts });
    }
    const outcome = await attempt(Math.min(options.attemptTimeoutMs, leftMs));
    if (!isFailure(outcome)) return { ...outcome, attempts, possiblyBilledAttempts };
    if (outcome.possiblyBilledAttempts) possiblyBilledAttempts += 1;
    const waitMs = outcome.retryAfterMs ?? backoffMs(attempts, options.random);
    const inTime = options.now() + waitMs + minAttemptMs < deadlineMs;
    if (!outcome.retry || attempts >= options.maxAttempts || !inTime) {
      throw new UpstreamFailure(tellAttempts(outcome.error, attempts), { attempts, possiblyBilledAttempts });
    }
    await options.sleep(waitMs);
  }
}

const isFailure = (outcome: object): outcome is Failure => "error" in outcome && outcome.error instanceof AppError;

/** Exponential, with jitter over its upper half so that clients that failed together do not return together. */
const backoffMs = (attempt: number, random: () => number): number =>
  Math.min(firstBackoffMs * 2 ** (attempt - 1), maxBackoffMs) * (0.5 + random() / 2);

const tellAttempts = (error: AppError, attempts: number): AppError =>
  attempts === 1 ? error : error.with({ message: `${error.message} (after ${attempts} attempts)` });
