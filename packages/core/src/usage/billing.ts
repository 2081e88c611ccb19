import { isJsonObject } from "../json/object.ts";
import type { Billing } from "./cost.ts";

/** As much of a request as is read here. On `/v1` only OpenAI judges it: any of it may be of another type. */
interface Request {
  messages?: unknown;
  web_search_options?: unknown;
  prompt_cache_options?: unknown;
}

/**
 * What of a request decides what its tokens cost.
 *
 * OpenAI's usage has one sum for the tokens that were written to the prompt cache, whatever their lifetime. A breakpoint in a
 * part of a message may ask for 12 hours, and OpenAI adds a breakpoint of 30 minutes by itself unless `mode` is `explicit`. So
 * the sum can be priced when every breakpoint has the same lifetime, and is "mixed" otherwise. Source: `PromptCacheOptions` in
 * resources/chat/completions of openai 7.57.0, read 2026-11-28.
 */
export function billingOf({ messages, web_search_options, prompt_cache_options }: Request): Billing {
  const options = isJsonObject(prompt_cache_options) ? prompt_cache_options : {};
  const lifetimes = new Set(breakpointsIn(messages).map(({ ttl }) => ttl ?? options.ttl ?? "30m"));
  if (options.mode !== "explicit") lifetimes.add(options.ttl ?? "30m");
  const [lifetime = "30m"] = lifetimes;
  const isKnown = lifetimes.size <= 1 && (lifetime === "30m" || lifetime === "12h");
  return { cacheLifetime: isKnown ? lifetime : "mixed", searchesWeb: web_search_options != null };
}

function breakpointsIn(messages: unknown): { ttl?: unknown }[] {
  if (!Array.isArray(messages)) return [];
  return messages
    .flatMap((message: unknown) => (isJsonObject(message) ? message.content : []))
    .flatMap((part: unknown) =>
      isJsonObject(part) && isJsonObject(part.prompt_cache_breakpoint) ? [part.prompt_cache_breakpoint] : [],
    );
}
