import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { AppError } from "../error.ts";
import { costOf } from "../usage/cost.ts";
import type { Rates } from "../usage/price.ts";
import { maxImageTokens } from "./image-tokens.ts";
import { maxOutputTokens } from "./output-tokens.ts";

type Params = ChatCompletionCreateParamsNonStreaming;

/** For what OpenAI writes around tools and schemas, and to begin an answer: a few dozen tokens, by all that is known. */
const framingTokens = 256;
/** OpenAI's limit for `n`. Source: its reference, "Create chat completion", 2026-11. */
const maxChoices = 128;

/**
 * The most that one attempt at this request can cost, in nano-dollars; null when the service tier that it asks for has no
 * known price. Throws `invalid_request` for input whose tokens nothing here can bound.
 *
 * A token covers at least one byte of text, so that bytes bound tokens. The text is measured as JSON, whose field names
 * outnumber the few tokens that OpenAI adds to each message. The types are OpenAI's, but on `/v1/chat/completions` only
 * OpenAI judges the values: one that is not what it should be never makes the bound smaller.
 */
export function maxCostOf(params: Params, rates: Rates): number | null {
  refuseUnbounded(params);
  const promptTokens = maxPromptTokens(params);
  const completionTokens = maxCompletionTokens(params);
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
  let imageTokens = 0;
  const text = JSON.stringify(messages, (_, value) => {
    if (value?.type !== "image_url") return value;
    const { url = value.image_url, detail } = value.image_url ?? {};
    imageTokens += maxImageTokens(model, url, detail === "low" ? "low" : "high");
    return null;
  });
  const extras = jsonBytes(tools) + jsonBytes(functions) + jsonBytes(response_format);
  return Buffer.byteLength(text) + imageTokens + extras + framingTokens;
}

function maxCompletionTokens({ model, n, max_completion_tokens, max_tokens, prediction }: Params): number {
  const limits = [max_completion_tokens, max_tokens].filter(isCount);
  const perChoice = limits.length > 0 ? Math.max(...limits) : maxOutputTokens(model);
  const choices = n == null ? 1 : isCount(n) ? n : maxChoices;
  // Predicted tokens that were rejected are billed as completion tokens, on top of the limit.
  return choices * (perChoice + jsonBytes(prediction));
}

/** More tokens than any model reads or writes would only make the sum inexact. */
const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 100_000_000;

const jsonBytes = (value: unknown): number => (value == null ? 0 : Buffer.byteLength(JSON.stringify(value)));

/** Parts of a message whose tokens their bytes or their size in pixels bound. */
const boundedParts = new Set<unknown>(["text", "refusal", "image_url"]);

function refuseUnbounded({ messages, modalities, web_search_options }: Params): void {
  const refuse = (param: string): never => {
    const message = `${param}: What this costs cannot be told beforehand, and this key has a budget.`;
    throw new AppError("invalid_request", message, { param });
  };
  if (web_search_options != null) refuse("web_search_options");
  if ([modalities].flat().includes("audio")) refuse("modalities");
  messages.forEach((message, m) => {
    if ("audio" in message && message.audio != null) refuse(`messages[${m}].audio`);
    if (!Array.isArray(message.content)) return;
    message.content.forEach((part: { type?: unknown } | null, p) => {
      if (!boundedParts.has(part?.type)) refuse(`messages[${m}].content[${p}]`);
    });
  });
}
