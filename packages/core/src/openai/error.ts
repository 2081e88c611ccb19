import OpenAI from "openai";
import { AppError, type ErrorCode } from "../error.ts";
import { connectTimeoutCode } from "./fetch.ts";

/** What one failed attempt at OpenAI means to us. */
export interface Failure {
  error: AppError;
  /** Another attempt, now, may succeed. */
  retry: boolean;
  retryAfterMs: number | null;
  /** OpenAI may have done and billed the work although its answer never reached us. */
  maybeBilled: boolean;
}

/** The connection was never made, so that nothing can have been billed. */
const neverSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", connectTimeoutCode]);

/** Maps whatever the OpenAI client threw. The one place where OpenAI's errors become ours. */
export function failureOf(cause: unknown, timedOut: boolean): Failure {
  if (timedOut || cause instanceof OpenAI.APIConnectionTimeoutError) {
    const error = new AppError("upstream_timeout", "OpenAI did not answer in time.", { cause });
    return { error, retry: true, retryAfterMs: null, maybeBilled: true };
  }
  if (cause instanceof OpenAI.APIConnectionError) {
    const error = new AppError("upstream_error", "The connection to OpenAI failed.", { cause });
    return { error, retry: true, retryAfterMs: null, maybeBilled: !neverSent.has(systemCodeOf(cause)) };
  }
  if (cause instanceof OpenAI.APIError && cause.status !== undefined) return ofStatus(cause, cause.status);
  const error = new AppError("upstream_error", "OpenAI's answer could not be read.", { cause });
  return { error, retry: true, retryAfterMs: null, maybeBilled: true };
}

/** For a client to wait, in seconds, where OpenAI does not say how long: nearly always it does. */
const unsaid: { [code in ErrorCode]?: number } = { rate_limited: 5 };

function ofStatus(cause: InstanceType<typeof OpenAI.APIError>, status: number): Failure {
  const retryAfterMs = retryAfterMsOf(cause.headers);
  const failure = (code: ErrorCode, message: string, retry: boolean, param = cause.param): Failure => ({
    error: new AppError(code, message, {
      cause,
      param: param ?? undefined,
      retryAfterSeconds: retryAfterMs !== null ? Math.ceil(retryAfterMs / 1000) : unsaid[code],
      openai: { status, error: cause.error },
    }),
    retry,
    retryAfterMs,
    maybeBilled: false,
  });
  if (status === 401 || status === 403) {
    return failure("upstream_auth", "OpenAI does not accept this service's key. Its operator has to mend that.", false);
  }
  if (status === 429 && (cause.code === "insufficient_quota" || cause.type === "insufficient_quota")) {
    return failure("upstream_quota", "This service's OpenAI account has no quota left.", false);
  }
  if (status === 429) return failure("rate_limited", "OpenAI's rate limit is reached. Try again later.", true);
  if (status === 408) return failure("upstream_timeout", "OpenAI did not answer in time.", true);
  if (status === 409 || status >= 500) return failure("upstream_error", `OpenAI answered with status ${status}.`, true);
  if (status === 404 && cause.code === "model_not_found")
    return failure("model_not_found", detailOf(cause), false, "model");
  if (status === 400 || status === 422) return failure(codeOfBadRequest(cause), detailOf(cause), false);
  if (status === 413) return failure("payload_too_large", "OpenAI finds the request too large.", false);
  return failure("upstream_error", `OpenAI answered with status ${status}.`, false);
}

/** The request itself was judged here before it was sent: what is left is what this model, or these values together, cannot do. */
function codeOfBadRequest(cause: InstanceType<typeof OpenAI.APIError>): ErrorCode {
  if (/image/.test(cause.code ?? "")) return "invalid_image";
  return /^invalid schema/i.test(detailOf(cause)) ? "invalid_schema" : "upstream_rejected";
}

/** OpenAI's own words, without the status that its client puts before them. */
function detailOf(cause: InstanceType<typeof OpenAI.APIError>): string {
  const body = cause.error as { message?: unknown } | undefined;
  return typeof body?.message === "string" ? body.message : "OpenAI refused the request.";
}

function retryAfterMsOf(headers: Headers | undefined): number | null {
  const ms = Number.parseFloat(headers?.get("retry-after-ms") ?? "");
  if (ms >= 0) return ms;
  const value = headers?.get("retry-after");
  if (!value) return null;
  const seconds = Number.parseFloat(value);
  const wait = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1000;
  return wait >= 0 ? wait : null;
}

function systemCodeOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  }
  return "";
}
