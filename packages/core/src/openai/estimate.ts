import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { InlineImage } from "../image/inline-image.ts";
import type { Usage } from "./usage.ts";

/** OpenAI's rule of thumb for English text. Source: its help article "What are tokens", read in November 2026. */
const bytesPerToken = 4;

/**
 * What a stream that broke off has about cost. Images and audio are left out: only OpenAI's own usage, which never came, knows
 * them.
 */
export function estimateUsage(
  { messages, tools, functions, modalities }: ChatCompletionCreateParamsNonStreaming,
  deltas: number,
): Usage {
  let hasAudio = [modalities].flat().includes("audio");
  const text = JSON.stringify([messages, tools ?? [], functions ?? []], (name, value) => {
    if (name === "input_audio") hasAudio = true;
    const isLeftOut =
      name === "input_audio" ||
      value instanceof InlineImage ||
      (typeof value === "string" && value.startsWith("data:"));
    return isLeftOut ? "" : value;
  });
  const promptTokens = Math.ceil(Buffer.byteLength(text) / bytesPerToken);
  return {
    promptTokens,
    completionTokens: deltas,
    totalTokens: promptTokens + deltas,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
    ...(hasAudio && { hasAudio }),
  };
}
