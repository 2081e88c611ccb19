/** A refusal as OpenAI writes it: becomes the body `{error: {message, type, param, code}}`. */
export interface OpenAIError {
  readonly kind: "openai_error";
  status: number;
  message: string;
  type: string;
  param: string | null;
  code: string | null;
  /** Extra response headers, such as `retry-after`. */
  headers: Record<string, string>;
}

export function openAIError(
  status: number,
  message: string,
  rest: Partial<Pick<OpenAIError, "type" | "param" | "code" | "headers">> = {},
): OpenAIError {
  return {
    kind: "openai_error",
    status,
    message,
    type: "invalid_request_error",
    param: null,
    code: null,
    headers: {},
    ...rest,
  };
}

/** A 400 with OpenAI's `invalid_request_error`. */
export function badRequest(message: string, param: string | null = null, code: string | null = null): OpenAIError {
  return openAIError(400, message, { param, code });
}

export function isOpenAIError(error: unknown): error is OpenAIError {
  return typeof error === "object" && error !== null && "kind" in error && error.kind === "openai_error";
}

export function errorBody({ message, type, param, code }: OpenAIError): string {
  return JSON.stringify({ error: { message, type, param, code } }, null, 2);
}
