import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { usageFrom } from "../../../packages/core/src/openai/usage.ts";

describe("usageFrom", () => {
  it("reads OpenAI's usage with all its details", () => {
    expect(
      usageFrom({
        prompt_tokens: 2_000,
        completion_tokens: 300,
        total_tokens: 2_300,
        prompt_tokens_details: { cached_tokens: 1_024, cache_write_tokens: 512, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 256, accepted_prediction_tokens: 0 },
      }),
    ).toEqual({
      promptTokens: 2_000,
      completionTokens: 300,
      totalTokens: 2_300,
      cachedTokens: 1_024,
      cacheWriteTokens: 512,
      reasoningTokens: 256,
    });
  });

  it("counts what a compatible server leaves out as 0, and adds up the total", () => {
    const bare = {
      promptTokens: 5,
      completionTokens: 2,
      totalTokens: 7,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
    };
    expect(usageFrom({ prompt_tokens: 5, completion_tokens: 2 })).toEqual(bare);
    const nulls = {
      prompt_tokens_details: null,
      completion_tokens_details: { reasoning_tokens: null },
      total_tokens: null,
    };
    expect(usageFrom({ prompt_tokens: 5, completion_tokens: 2, ...nulls })).toEqual(bare);
  });

  it.each(["prompt_tokens_details", "completion_tokens_details"])("tells of audio tokens in %s", (details) => {
    const usage = { prompt_tokens: 5, completion_tokens: 2 };
    expect(usageFrom({ ...usage, [details]: { audio_tokens: 1 } })).toMatchObject({ hasAudio: true });
    for (const audio_tokens of [0, null, undefined, "1"])
      expect(usageFrom({ ...usage, [details]: { audio_tokens } })).not.toHaveProperty("hasAudio");
  });

  it("counts audio tokens by direction, never more than there are tokens", () => {
    const usage = usageFrom({
      prompt_tokens: 5,
      completion_tokens: 2,
      prompt_tokens_details: { audio_tokens: 4 },
      completion_tokens_details: { audio_tokens: 3 },
    });
    expect(usage).toMatchObject({ hasAudio: true, audioPromptTokens: 4, audioCompletionTokens: 2 });
  });

  it("is null when it does not say how many tokens went in and out", () => {
    for (const garbage of [
      undefined,
      null,
      [],
      "7",
      {},
      { total_tokens: 7 },
      { prompt_tokens: 5 },
      { prompt_tokens: -1, completion_tokens: 2 },
      { prompt_tokens: 1.5, completion_tokens: 2 },
      { prompt_tokens: "5", completion_tokens: 2 },
      { prompt_tokens: Number.NaN, completion_tokens: 2 },
      { prompt_tokens: 1e15, completion_tokens: 2 },
    ]) {
      expect(usageFrom(garbage)).toBeNull();
    }
  });

  it("never has details larger than their whole", () => {
    const count = fc.nat(1_000);
    fc.assert(
      fc.property(count, count, count, count, count, (prompt, completion, cached, written, reasoning) => {
        const usage = usageFrom({
          prompt_tokens: prompt,
          completion_tokens: completion,
          prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
          completion_tokens_details: { reasoning_tokens: reasoning },
        });
        expect((usage?.cachedTokens ?? 0) + (usage?.cacheWriteTokens ?? 0)).toBeLessThanOrEqual(prompt);
        expect(usage?.reasoningTokens).toBeLessThanOrEqual(completion);
      }),
    );
  });
});
