import { isJsonObject } from "../json/object.ts";

/** Tokens of one request, as OpenAI counted them. */
export interface Usage {
  /** Includes `cachedTokens` and `cacheWriteTokens`. */
  promptTokens: number;
  /** Includes `reasoningTokens`. */
  completionTokens: number;
  totalTokens: number;
  cachedTokens: number;
  cacheWriteTokens: number;
  reasoningTokens: number;
  /** Only there when some of the tokens are audio, which costs several times as much as text. */
  hasAudio?: true | undefined;
  /** Of `promptTokens` and `completionTokens`; there when `hasAudio` is, unless the usage is an estimate or was stored before 2026-12. */
  audioPromptTokens?: number | undefined;
  audioCompletionTokens?: number | undefined;
}

/**
 * OpenAI's `usage`, or null when it does not say how many tokens went in and out. Compatible servers leave out details
 * and totals; a detail larger than its whole is cut to it, so that no count is ever negative.
 */
export function usageFrom(openaiUsage: unknown): Usage | null {
  if (!isJsonObject(openaiUsage)) return null;
  const promptTokens = count(openaiUsage.prompt_tokens);
  const completionTokens = count(openaiUsage.completion_tokens);
  if (promptTokens === null || completionTokens === null) return null;
  const prompt = detailsOf(openaiUsage.prompt_tokens_details);
  const completion = detailsOf(openaiUsage.completion_tokens_details);
  const cachedTokens = Math.min(count(prompt.cached_tokens) ?? 0, promptTokens);
  return {
    promptTokens,
    completionTokens,
    totalTokens: count(openaiUsage.total_tokens) ?? promptTokens + completionTokens,
    cachedTokens,
    cacheWriteTokens: Math.min(count(prompt.cache_write_tokens) ?? 0, promptTokens - cachedTokens),
    reasoningTokens: Math.min(count(completion.reasoning_tokens) ?? 0, completionTokens),
    ...audioOf(count(prompt.audio_tokens) ?? 0, count(completion.audio_tokens) ?? 0, promptTokens, completionTokens),
  };
}

function audioOf(prompt: number, completion: number, promptTokens: number, completionTokens: number) {
  if (prompt + completion === 0) return {};
  return {
    hasAudio: true as const,
    audioPromptTokens: Math.min(prompt, promptTokens),
    audioCompletionTokens: Math.min(completion, completionTokens),
  };
}

function detailsOf(value: unknown): Record<string, unknown> {
  return isJsonObject(value) ? value : {};
}

/** No request has a billion tokens; a larger count is garbage that would upset every sum it enters. */
function count(value: unknown): number | null {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 1_000_000_000 ? value : null;
}
