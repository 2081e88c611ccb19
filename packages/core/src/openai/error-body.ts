import type { OpenAIAnswer } from "../error.ts";
import { isJsonObject } from "../json/object.ts";

type Fields = Record<string, unknown>;

/** An answer may quote the request, and the error is stored with the result. */
const maxMessageLength = 2_000;

/**
 * The error that a body holds, in OpenAI's shape, with the HTTP status that belongs to it; null when it holds none. Servers
 * write it in several ways, as read in their sources in November 2026: OpenAI and Azure as `{error: {message, type, param,
 * code}}`, OpenRouter with a number as its `code`, or beside one choice, vLLM as `{object: "error", message, code}`, Ollama as
 * `{error: "text"}`, Azure API Management as `{statusCode, message}`, Google in an array,
 * and proxies one inside the other. `status` is the response's own, when that is an error's.
 */
export function errorIn(body: unknown, status?: number): OpenAIAnswer | null {
  if (Array.isArray(body)) return errorIn(body[0], status);
  if (!isJsonObject(body)) return null;
  const around = status === undefined ? body : { status };
  if (isTold(body.error)) return describeError(body.error, around);
  if (!Array.isArray(body.choices)) return status || isErrorItself(body) ? describeError(body, around) : null;
  const choice = body.choices.find((one) => isJsonObject(one) && isTold(one.error));
  return choice ? describeError(choice.error, around) : null;
}

/** Where it is known to be an error, whatever its shape. `around`: what it stood in, which may have its status. */
export function describeError(told: unknown, around: Fields = {}): OpenAIAnswer {
  if (isJsonObject(told) && isTold(told.error)) return describeError(told.error, told);
  const fields: Fields = isJsonObject(told) ? told : {};
  const message = [told, fields.message, fields.detail, fields.msg].find(isFilledText) ?? "The request failed.";
  const code = textOf(fields.code);
  const type = textOf(fields.type);
  const status = statusIn(fields) ?? statusIn(around) ?? statusOfName(code) ?? statusOfName(type) ?? 500;
  return {
    status,
    error: {
      ...fields,
      message: message.slice(0, maxMessageLength),
      type: type ?? (status < 500 ? "invalid_request_error" : "server_error"),
      param: textOf(fields.param),
      code,
    },
  };
}

const isTold = (error: unknown): boolean =>
  isFilledText(error) || (isJsonObject(error) && Object.keys(error).length > 0);

/** A body without an answer that is itself an error. */
const isErrorItself = (body: Fields): boolean =>
  body.object === "error" ||
  (isFilledText(body.message) && ["code", "type", "status", "statusCode"].some((name) => name in body)) ||
  isFilledText(body.detail);

function statusIn(fields: Fields): number | null {
  const names = ["status", "statusCode", "status_code", "http_status", "code"];
  const found = names.map((name) => Number(fields[name])).find((status) => status >= 400 && status <= 599);
  return found && Number.isInteger(found) ? found : null;
}

/** By the words in codes and types of OpenAI, Azure, Anthropic and Google. The first that applies. */
const statusesByName: [RegExp, number][] = [
  [/quota|billing|rate_?limit|too_?many|exhausted|throttl|^(requests|tokens)$/i, 429],
  [/not_?found/i, 404],
  [/api_?key|authentication|unauthori/i, 401],
  [/permission|forbidden/i, 403],
  [/overloaded|unavailable|capacity/i, 503],
  [/time_?d?_?out|deadline/i, 408],
  [/content_(filter|policy)|context_length|invalid|bad_?request|unsupported|unprocessable/i, 400],
];

const statusOfName = (name: string | null): number | null =>
  statusesByName.find(([pattern]) => name !== null && pattern.test(name))?.[1] ?? null;

const textOf = (value: unknown): string | null =>
  isFilledText(value) ? value : typeof value === "number" ? String(value) : null;

const isFilledText = (value: unknown): value is string => typeof value === "string" && value !== "";
