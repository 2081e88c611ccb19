import OpenAI from "openai";
import { AppError, type ErrorCode, type OpenAIAnswer } from "../error.ts";
import { isJsonObject } from "../json/object.ts";
import { describeError } from "./error-body.ts";
import { connectTimeoutCode } from "./fetch.ts";

/** What one failed attempt at OpenAI means to us. */
export interface Failure {
  error: AppError;
  /** Another attempt, now, may succeed. */
  retry: boolean;
  retryAfterMs: number | null;
  /** OpenAI may have done and billed the work although its answer never reached us. */
  possiblyBilledAttempts: boolean;
}

/** OpenAI answered with status 200, and its body or its stream is an error all the same. */
export class AnswerError extends Error {
  readonly answer: OpenAIAnswer;
  readonly headers: Pick<Headers, "get">;

  constructor(answer: OpenAIAnswer, headers: Pick<Headers, "get">) {
    super("The answer is an error.");
    this.name = "AnswerError";
    this.answer = answer;
    this.headers = headers;
  }
}

/** The connection was never made, so that nothing can have been billed. */
const neverSent = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", connectTimeoutCode]);

/** Maps whatever the OpenAI client threw. The one place where OpenAI's errors become ours. */
export function failureOf(cause: unknown, timedOut: boolean): Failure {
  if (cause instanceof AnswerError) return ofStatus(cause, cause.answer.status, cause.answer.error, cause.headers);
  if (timedOut || cause instanceof OpenAI.APIConnectionTimeoutError) {
    const error = new AppError("upstream_timeout", "OpenAI did not answer in time.", { cause });
    return { error, retry: true, retryAfterMs: null, possiblyBilledAttempts: true };
  }
  if (cause instanceof OpenAI.APIConnectionError) {
    const error = new AppError("upstream_error", "The connection to OpenAI failed.", { cause });
    return { error, retry: true, retryAfterMs: null, possiblyBilledAttempts: !neverSent.has(systemCodeOf(cause)) };
  }
  if (cause instanceof OpenAI.APIError && cause.status !== undefined) {
    // A proxy's page is no error of OpenAI's.
    const told = isJsonObject(cause.error) ? describeError(cause.error).error : null;
    return ofStatus(cause, cause.status, told, cause.headers);
  }
  const error = new AppError("upstream_error", "OpenAI's answer could not be read.", { cause });
  return { error, retry: true, retryAfterMs: null, possiblyBilledAttempts: true };
}

/** For a client to wait, in seconds, where OpenAI does not say how long: nearly always it does. */
const unsaid: { [code in ErrorCode]?: number } = { rate_limited: 5 };

function ofStatus(
  cause: Error,
  status: number,
  told: OpenAIAnswer["error"] | null,
  headers: Pick<Headers, "get"> | undefined,
): Failure {
  const retryAfterMs = retryAfterMsOf(headers);
  const detail = told?.message ?? "OpenAI refused the request.";
  const failure = (code: ErrorCode, message: string, retry: boolean, param = told?.param): Failure => ({
    error: new AppError(code, message, {
      cause,
      param: param ?? undefined,
      retryAfterSeconds: retryAfterMs !== null ? Math.ceil(retryAfterMs / 1000) : unsaid[code],
      openai: told ? { status, error: told } : undefined,
    }),
    retry,
    retryAfterMs,
    possiblyBilledAttempts: false,
  });
  if (isUnknownModel(status, told)) return failure("model_not_found", detail, false, "model");
  if (status === 401 || status === 403) {
    return failure("upstream_auth", "OpenAI does not accept this service's key. Its operator has to mend that.", false);
  }
  if (status === 429 && (told?.code === "insufficient_quota" || told?.type === "insufficient_quota")) {
    return failure("upstream_quota", "This service's OpenAI account has no quota left.", false);
  }
  if (status === 429) return failure("rate_limited", "OpenAI's rate limit is reached. Try again later.", true);
  if (status === 408) return failure("upstream_timeout", "OpenAI did not answer in time.", true);
  if (status === 409 || status >= 500) return failure("upstream_error", `OpenAI answered with status ${status}.`, true);
  if (status === 400 || status === 422) return failure(codeOfBadRequest(told?.code, detail), detail, false);
  if (status === 413) return failure("payload_too_large", "OpenAI finds the request too large.", false);
  return failure("upstream_error", `OpenAI answered with status ${status}.`, false);
}

/**
 * OpenAI says `model_not_found` with 404, and with 403 for a model that its project may not use (aider#604, continue#10120). Azure says
 * `DeploymentNotFound`; Ollama and vLLM have a 404 whose message names the model. Read in November 2026.
 */
function isUnknownModel(status: number, told: OpenAIAnswer["error"] | null): boolean {
  if (!told || ![400, 403, 404].includes(status)) return false;
  if (/^(model_?not_?found|deployment_?not_?found)$/i.test(told.code ?? "")) return true;
  return status === 404 && /\b(model|deployment)\b/i.test(told.message);
}

/** The request itself was judged here before it was sent: what is left is what this model, or these values together, cannot do. */
function codeOfBadRequest(code: string | null | undefined, detail: string): ErrorCode {
  if (/image/.test(code ?? "")) return "invalid_image";
  return /^invalid schema/i.test(detail) ? "invalid_schema" : "upstream_rejected";
}

function retryAfterMsOf(headers: Pick<Headers, "get"> | undefined): number | null {
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
