import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { AppError } from "../error.ts";
import { costOf } from "../usage/cost.ts";
import type { Rates } from "../usage/price.ts";
import { maxImageTokens } from "./image-tokens.ts";
import { maxOutputTokens } from "./output-tokens.ts";

type Params = ChatCompletionCreateParamsNonStreaming;

/** For what OpenAI writes around tools and schemas, and to begin an answer: a few dozen tokens, by all that is known. */
const framingTokens = 256;

/**
 * The most that one attempt at this request can cost, in nano-dollars; null when the service tier that it asks for has no
 * known price. Throws `invalid_request` for input whose tokens nothing here can bound.
 *
 * A token covers at least one byte of text, so that bytes bound tokens. The text is measured as JSON, whose field names
 * outnumber the few tokens that OpenAI adds to each message.
 */
export function maxCostOf(params: Params, rates: Rates): number | null {
  refuseUnbounded(params);
  const promptTokens = maxPromptTokens(params);
  const perChoice = params.max_completion_tokens ?? params.max_tokens ?? maxOutputTokens(params.model);
  // Predicted tokens that were rejected are billed as completion tokens, on top of the limit.
  const completionTokens = (params.n ?? 1) * (perChoice + jsonBytes(params.prediction));
  const usage = {
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    cachedTokens: 0,
    // The dearest way to be billed for a prompt is to have it cached, where a model charges for that.
    cacheWriteTokens: promptTokens,
    reasoningTokens: 0,
  };
  const dearest = { ...rates, inputNanoUsd: Math.max(rates.inputNanoUsd, rates.cachedInputNanoUsd) };
  const costs = possibleTiers(params, rates).map((tier) => costOf(usage, dearest, tier));
  return costs.reduce<number | null>((most, cost) => (most === null || cost === null ? null : Math.max(most, cost)), 0);
}

/** OpenAI may serve a request in another tier than it asks for; those that cost less than the default are left out. */
function possibleTiers({ service_tier: asked }: Params, { serviceTiers }: Rates): string[] {
  if (asked === "default" || asked === "flex") return ["default"];
  const named = asked && asked !== "auto" ? [asked] : [];
  return ["default", ...serviceTiers.keys(), ...named];
}

function maxPromptTokens({ model, messages, tools, functions, response_format }: Params): number {
  const images = messages.flatMap(({ content }) =>
    Array.isArray(content) ? content.flatMap((part) => (part.type === "image_url" ? [part.image_url] : [])) : [],
  );
  const imageTokens = images.reduce((sum, { url, detail }) => sum + maxImageTokens(model, url, detailOf(detail)), 0);
  const text = JSON.stringify(messages, (name, value) => (name === "image_url" ? null : value));
  return (
    Buffer.byteLength(text) +
    imageTokens +
    jsonBytes(tools) +
    jsonBytes(functions) +
    jsonBytes(response_format) +
    framingTokens
  );
}

const detailOf = (detail: string | undefined) => (detail === "low" ? "low" : "high");

const jsonBytes = (value: unknown): number => (value == null ? 0 : Buffer.byteLength(JSON.stringify(value)));

function refuseUnbounded({ messages, web_search_options }: Params): void {
  const refuse = (param: string, what: string) => {
    throw new AppError(
      "invalid_request",
      `${param}: What ${what} costs cannot be told beforehand, as a budget needs.`,
      {
        param,
      },
    );
  };
  if (web_search_options != null) refuse("web_search_options", "a web search");
  messages.forEach((message, m) => {
    if (message.role === "assistant" && message.audio != null) refuse(`messages[${m}].audio`, "earlier audio");
    if (!Array.isArray(message.content)) return;
    message.content.forEach((part, p) => {
      if (part.type === "file") refuse(`messages[${m}].content[${p}].file`, "a file");
    });
  });
}
