/** Prompts from 1,024 tokens on are cached, in steps of 128 (OpenAI's prompt caching guide, November 2026). */
const FIRST_TOKENS = 1024;
const STEP_TOKENS = 128;
/** Prefixes remembered; the oldest are forgotten first. */
const MAX_PREFIXES = 20_000;

export interface PromptCache {
  /** How much of this prompt's beginning was seen before, and how much is new to the cache, both in tokens. */
  read(model: string, prompt: number[]): { cachedTokens: number; writtenTokens: number };
}

export function createPromptCache(): PromptCache {
  const seen = new Set<string>();
  return {
    read(model, prompt) {
      const prefixes = prefixesOf(model, prompt);
      const known = prefixes.findLast(({ key }) => seen.has(key))?.lengthTokens ?? 0;
      for (const { key } of prefixes) seen.add(key);
      for (const key of seen) {
        if (seen.size <= MAX_PREFIXES) break;
        seen.delete(key);
      }
      return { cachedTokens: known, writtenTokens: (prefixes.at(-1)?.lengthTokens ?? 0) - known };
    },
  };
}

/** One entry per step, each key depending on every token before it. Two hashes make a collision a non-event. */
function prefixesOf(model: string, prompt: number[]): { key: string; lengthTokens: number }[] {
  const prefixes = [];
  let [low, high] = [2_166_136_261, 40_503];
  for (const [index, token] of prompt.entries()) {
    low = Math.imul(low ^ token, 16_777_619);
    high = Math.imul(high + token, 2_654_435_761) ^ (high >>> 15);
    const lengthTokens = index + 1;
    if (lengthTokens >= FIRST_TOKENS && lengthTokens % STEP_TOKENS === 0)
      prefixes.push({ key: `${model} ${lengthTokens} ${low} ${high}`, lengthTokens });
  }
  return prefixes;
}
