/** What each error code means over HTTP, and whether the same request may succeed later without being changed. */
const errors = {
  invalid_request: { status: 400, type: "invalid_request_error", retryable: false },
  invalid_schema: { status: 400, type: "invalid_request_error", retryable: false },
  invalid_range: { status: 400, type: "invalid_request_error", retryable: false },
  invalid_image: { status: 400, type: "invalid_request_error", retryable: false },
  unsupported_image: { status: 400, type: "invalid_request_error", retryable: false },
  upstream_rejected: { status: 400, type: "invalid_request_error", retryable: false },
  invalid_api_key: { status: 401, type: "invalid_request_error", retryable: false },
  budget_exceeded: { status: 402, type: "invalid_request_error", retryable: false },
  model_not_allowed: { status: 403, type: "invalid_request_error", retryable: false },
  not_found: { status: 404, type: "invalid_request_error", retryable: false },
  model_not_found: { status: 404, type: "invalid_request_error", retryable: false },
  in_progress: { status: 409, type: "invalid_request_error", retryable: true },
  idempotency_mismatch: { status: 409, type: "invalid_request_error", retryable: false },
  image_too_large: { status: 413, type: "invalid_request_error", retryable: false },
  payload_too_large: { status: 413, type: "invalid_request_error", retryable: false },
  rate_limited: { status: 429, type: "rate_limit_error", retryable: true },
  internal: { status: 500, type: "server_error", retryable: true },
  invalid_output: { status: 502, type: "server_error", retryable: false },
  upstream_error: { status: 502, type: "server_error", retryable: true },
  upstream_quota: { status: 503, type: "server_error", retryable: true },
  upstream_auth: { status: 503, type: "server_error", retryable: true },
  upstream_timeout: { status: 504, type: "server_error", retryable: true },
} as const;

export type ErrorCode = keyof typeof errors;

export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === "string" && Object.hasOwn(errors, code);

interface AppErrorOptions {
  /** The field at fault, as a path in the request: `messages[0].content`. */
  param?: string | undefined;
  retryAfterSeconds?: number | undefined;
  /** The result that this error ended, when there is one. */
  resultId?: string | undefined;
  /** OpenAI's own answer: `/v1` passes it on as it is, unless the fault is ours. */
  openai?: OpenAIAnswer | undefined;
  /** Logged, never sent. */
  cause?: unknown;
}

export interface OpenAIAnswer {
  status: number;
  /** What stands under `error` in its body, with fields of other servers. */
  error: { message: string; type: string | null; param: string | null; code: string | null };
}

/** An error that the caller may see. Anything else that is thrown becomes `internal`, with a fixed text. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly param: string | null;
  readonly retryAfterSeconds: number | null;
  readonly resultId: string | null;
  readonly openai: OpenAIAnswer | null;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.param = options.param ?? null;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.resultId = options.resultId ?? null;
    this.openai = options.openai ?? null;
  }

  get status(): number {
    return errors[this.code].status;
  }

  get type(): string {
    return errors[this.code].type;
  }

  get retryable(): boolean {
    return errors[this.code].retryable;
  }

  /** The same error, changed in this. */
  with(changes: { message?: string; resultId?: string }): AppError {
    return new AppError(this.code, changes.message ?? this.message, {
      param: this.param ?? undefined,
      retryAfterSeconds: this.retryAfterSeconds ?? undefined,
      resultId: changes.resultId ?? this.resultId ?? undefined,
      openai: this.openai ?? undefined,
      cause: this.cause,
    });
  }
}

export const toAppError = (error: unknown): AppError =>
  error instanceof AppError
    ? error
    : new AppError("internal", "Something went wrong on our side; the request id tells us where to look.", {
        cause: error,
      });

/** The body of an error response, in OpenAI's shape. `result_id` is ours, and present only when a result was stored. */
export const errorBody = (error: AppError) => ({
  error: {
    message: error.message,
    type: error.type,
    param: error.param,
    code: error.code,
    ...(error.resultId && { result_id: error.resultId }),
  },
});
