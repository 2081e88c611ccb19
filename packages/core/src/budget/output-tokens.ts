import { AppError } from "../error.ts";
import { modelNamed, needsMaxCompletionTokens } from "../model/model.ts";
import { type OpenAIRequest, setMember } from "../openai/verbatim.ts";
import type { KeyBudget } from "./schema.ts";

/** More than any model in the catalogue writes: for a model that is not there. */
const mostOutputTokens = 128_000;

/** The most tokens that a model writes in one choice, reasoning included. */
export const maxOutputTokens = (model: string): number => modelNamed(model)?.model.maxOutputTokens ?? mostOutputTokens;

/**
 * The output tokens that a request of a key with a budget asks for, when neither the request nor the key names a maximum. The
 * model's own maximum would reserve $1.28 for one answer of gpt-5, more than a budget of $1 has. This leaves room for reasoning and
 * a long answer, and $1 suffices for a short request to any served model of the catalogue, but for search models.
 */
export const defaultMaxOutputTokens = 8_192;

const limitNames = ["max_completion_tokens", "max_tokens"] as const;

/**
 * The request with a limit of its output, which makes the reservation a bound; the request itself when it names one. Throws
 * `invalid_request` when the request names more than its key allows.
 */
export function withOutputLimit(request: OpenAIRequest, { maxOutputTokens: ofKey }: KeyBudget): OpenAIRequest {
  const { params } = request;
  const named = limitNames.filter((name) => params[name] != null);
  for (const name of named) {
    if (ofKey !== undefined && Number(params[name]) > ofKey) {
      const message = `${name}: This key may ask for at most ${ofKey} output tokens. Use ${ofKey} or less, or leave it out.`;
      throw new AppError("invalid_request", message, { param: name });
    }
  }
  if (named.length > 0) return request;
  const name = needsMaxCompletionTokens(params.model) ? "max_completion_tokens" : "max_tokens";
  return setMember(request, name, Math.min(ofKey ?? defaultMaxOutputTokens, maxOutputTokens(params.model)));
}
