import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { AppError } from "../error.ts";
import { InlineImage } from "../image/inline-image.ts";
import { isJsonObject } from "../json/object.ts";
import type { TokenPrices } from "../model/model.ts";
import { billingOf } from "../usage/billing.ts";
import { costOf, plainBilling } from "../usage/cost.ts";
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
 * A token covers at least one byte of text, so that bytes bound tokens. The whole request is measured as JSON: its field names
 * outnumber the few tokens that OpenAI adds to each message, and a field that is not known here counts as well. The types are
 * OpenAI's, but on `/v1/chat/completions` only OpenAI judges the values: one that is not what it should be never makes the bound
 * smaller.
 */
export function maxCostOf(params: Params, rates: Rates): number | null {
  refuseUnbounded(params, rates);
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
  const serviceTiers = new Map([...rates.serviceTiers].map(([tier, own]) => [tier, withDearestInput(own)]));
  const dearest = { ...withDearestInput(rates), serviceTiers };
  // A lifetime other than 30 minutes may be 12 hours, which cost more.
  const cacheLifetime = billingOf(params).cacheLifetime === "30m" ? "30m" : "12h";
  const costs = possibleTiers(params, rates).map((tier) =>
    costOf(usage, dearest, tier, { ...plainBilling, cacheLifetime }),
  );
  return costs.reduce<number | null>((most, cost) => (most === null || cost === null ? null : Math.max(most, cost)), 0);
}

/** A stage's own price of cached input may be above that of other input. */
const withDearestInput = <T extends TokenPrices>(prices: T): T => ({
  ...prices,
  inputNanoUsd: Math.max(prices.inputNanoUsd, prices.cachedInputNanoUsd),
});

/** OpenAI may serve a request in another tier than it asks for; those that cost less than the default are left out. */
function possibleTiers({ service_tier: asked }: Params, { serviceTiers }: Rates): string[] {
  if (asked === "default" || asked === "flex") return ["default"];
  const named = asked && asked !== "auto" ? [asked] : [];
  return ["default", ...serviceTiers.keys(), ...named];
}

function maxPromptTokens(params: Params): number {
  let imageTokens = 0;
  const withoutImage = (part: unknown, role: string): unknown => {
    if (!isJsonObject(part) || part.type !== "image_url") return part;
    const image = isJsonObject(part.image_url) ? part.image_url : { url: part.image_url };
    imageTokens += maxImageTokens(params.model, image.url, image.detail);
    // OpenAI shows a model the pictures of a user alone. In another's message it may be one or text, and counts as both.
    if (role !== "user" || !isPicture(image.url)) return part;
    // Its other fields count as text, since nobody here knows what OpenAI makes of them.
    return { ...part, image_url: { ...image, url: "" } };
  };
  const messages = params.messages.map((message) =>
    Array.isArray(message.content)
      ? { ...message, content: message.content.map((part: unknown) => withoutImage(part, message.role)) }
      : message,
  );
  return jsonBytes(textFields({ ...params, messages })) + imageTokens + framingTokens;
}

/** All fields but settings: numbers, flags, and two whose texts only choose among what OpenAI has. */
const textFields = (params: object): object =>
  Object.fromEntries(
    Object.entries(params).filter(
      ([name, value]) => typeof value === "object" || (typeof value === "string" && !settings.has(name)),
    ),
  );
const settings = new Set(["model", "service_tier"]);

const isPicture = (url: unknown): boolean =>
  url instanceof InlineImage || (typeof url === "string" && /^(data:|https?:)/i.test(url));

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

function refuseUnbounded({ messages, modalities, web_search_options }: Params, { perCallNanoUsd }: Rates): void {
  const refuse = (param: string): never => {
    const message = `${param}: What this costs cannot be told beforehand, and this key has a budget.`;
    throw new AppError("invalid_request", message, { param });
  };
  if (web_search_options != null) refuse("web_search_options");
  // A search model reads what it finds on the web, however much that is.
  if (perCallNanoUsd > 0) refuse("model");
  if ([modalities].flat().includes("audio")) refuse("modalities");
  messages.forEach((message, m) => {
    if ("audio" in message && message.audio != null) refuse(`messages[${m}].audio`);
    if (!Array.isArray(message.content)) return;
    message.content.forEach((part: { type?: unknown } | null, p) => {
      if (!boundedParts.has(part?.type)) refuse(`messages[${m}].content[${p}]`);
    });
  });
}
