import OpenAI from "openai";
import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { AppError } from "../error.ts";
import { type Failure, failureOf } from "./error.ts";
import { patientFetchOptions } from "./patience.ts";

export interface UpstreamOptions {
  apiKey: string;
  /** OpenAI itself when left out; Ollama, vLLM and other servers that speak its protocol work too. */
  baseUrl?: string | undefined;
  /** The longest one attempt may take, from connecting to the last byte. */
  attemptTimeoutMs: number;
  /** The longest that all attempts of one call may take, with the waits between them. */
  budgetMs: number;
  /** 1 where another layer retries, such as a queue. */
  maxAttempts: number;
  now?: () => number;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

/** An answer of OpenAI's, whatever it says: judging it is not this layer's work. */
export interface Completion {
  /** OpenAI's body, to the byte. */
  text: string;
  body: unknown;
  requestId: string | null;
  attempts: number;
  /** Attempts before this one that OpenAI may have billed although no usage reached us. */
  maybeBilled: number;
}

export interface Upstream {
  /** Throws `UpstreamFailure`. `deadlineMs`: epoch milliseconds by which there must be an answer or an error. */
  complete(params: ChatCompletionCreateParamsNonStreaming, deadlineMs: number): Promise<Completion>;
}

/** No attempt succeeded. `error` is what the caller may see. */
export class UpstreamFailure extends Error {
  readonly error: AppError;
  readonly attempts: number;
  /** Attempts that OpenAI may have billed although no usage reached us. */
  readonly maybeBilled: number;

  constructor(error: AppError, attempts: number, maybeBilled: number) {
    super(error.message, { cause: error });
    this.name = "UpstreamFailure";
    this.error = error;
    this.attempts = attempts;
    this.maybeBilled = maybeBilled;
  }
}

/** An attempt that gets less time than this is not worth its price. */
const minAttemptMs = 1_000;
const firstBackoffMs = 500;
const maxBackoffMs = 8_000;

/**
 * Calls OpenAI and retries what a retry can mend, within the caller's deadline. The client's own retries are off, since it
 * also retries an exhausted quota and ignores a `retry-after` of over a minute.
 */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { now = Date.now, random = Math.random, sleep = pause } = options;
  const client = new OpenAI({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    maxRetries: 0,
    timeout: options.attemptTimeoutMs,
    fetchOptions: patientFetchOptions(),
  });

  async function attempt(params: ChatCompletionCreateParamsNonStreaming, timeoutMs: number) {
    // The client's own timeout ends with the response's headers; this signal also covers its body.
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await client.chat.completions.create(params, { signal }).asResponse();
      const text = await response.text();
      return { text, body: JSON.parse(text) as unknown, requestId: response.headers.get("x-request-id") };
    } catch (error) {
      return failureOf(error, signal.aborted);
    }
  }

  return {
    async complete(params, functionDeadlineMs) {
      const deadlineMs = Math.min(functionDeadlineMs, now() + options.budgetMs);
      let maybeBilled = 0;
      for (let attempts = 1; ; attempts++) {
        const leftMs = deadlineMs - now();
        if (leftMs < minAttemptMs) {
          const error = new AppError("upstream_timeout", "No time was left to ask OpenAI.");
          throw new UpstreamFailure(error, attempts - 1, maybeBilled);
        }
        const outcome = await attempt(params, Math.min(options.attemptTimeoutMs, leftMs));
        if (!("error" in outcome)) return { ...outcome, attempts, maybeBilled };
        if (outcome.maybeBilled) maybeBilled += 1;
        const waitMs = outcome.retryAfterMs ?? backoffMs(attempts, random);
        const inTime = now() + waitMs + minAttemptMs < deadlineMs;
        if (!outcome.retry || attempts >= options.maxAttempts || !inTime) {
          throw new UpstreamFailure(tellAttempts(outcome, attempts), attempts, maybeBilled);
        }
        await sleep(waitMs);
      }
    },
  };
}

/** Exponential, with jitter over its upper half so that clients that failed together do not return together. */
const backoffMs = (attempt: number, random: () => number): number =>
  Math.min(firstBackoffMs * 2 ** (attempt - 1), maxBackoffMs) * (0.5 + random() / 2);

function tellAttempts({ error }: Failure, attempts: number): AppError {
  if (attempts === 1) return error;
  return new AppError(error.code, `${error.message} (after ${attempts} attempts)`, {
    param: error.param ?? undefined,
    retryAfterSeconds: error.retryAfterSeconds ?? undefined,
    cause: error.cause,
  });
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
