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
const namedLimits = (params: OpenAIRequest["params"]) => limitNames.filter((name) => params[name] != null);

/**
 * Throws `invalid_request` when the request names more output than its key allows. Only a count is known to be less: some servers
 * take -1 for no limit.
 */
export function requireOutputWithinLimit(params: OpenAIRequest["params"], budget: KeyBudget | undefined): void {
  const ofKey = budget?.maxOutputTokens;
  if (ofKey === undefined) return;
  const isWithin = (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= ofKey;
  const name = namedLimits(params).find((name) => !isWithin(params[name]));
  if (name === undefined) return;
  const message = `${name}: This key may ask for at most ${ofKey} output tokens. Use a whole number from 1 to ${ofKey}, or leave it out.`;
  throw new AppError("invalid_request", message, { param: name });
}

/**
 * A request of a key with a budget as OpenAI is sent it: with a limit of its output, so that what is reserved is a bound.
 * `outputLimit` is that limit where the request names none. Throws as `requireOutputWithinLimit`.
 */
export function withOutputLimit(request: OpenAIRequest, budget: KeyBudget): OpenAIRequest & { outputLimit?: number } {
  const { params } = request;
  requireOutputWithinLimit(params, budget);
  if (namedLimits(params).length > 0) return request;
  const name = needsMaxCompletionTokens(params.model) ? "max_completion_tokens" : "max_tokens";
  const outputLimit = Math.min(budget.maxOutputTokens ?? defaultMaxOutputTokens, maxOutputTokens(params.model));
  return { ...setMember(request, name, outputLimit), outputLimit };
}
