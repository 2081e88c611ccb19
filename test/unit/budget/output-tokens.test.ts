import { describe, expect, it } from "vitest";
import { requireOutputWithinLimit, withOutputLimit } from "../../../packages/core/src/budget/output-tokens.ts";
import type { KeyBudget } from "../../../packages/core/src/budget/schema.ts";

type Params = Parameters<typeof requireOutputWithinLimit>[0];

const limited = (model: string, more: object = {}, key: Partial<KeyBudget> = {}) =>
  withOutputLimit({ params: { model, messages: [], ...more } as Params }, { keyId: "key_1", limitNanoUsd: 1, ...key });

describe("a request of a key with a budget", () => {
  it.each([
    ["gpt-4o-mini", "max_tokens", 8_192],
    ["openai/gpt-5-mini", "max_completion_tokens", 8_192],
    ["ft:gpt-4o-mini-2024-07-18:acme::x", "max_tokens", 8_192],
    // All that it writes.
    ["gpt-4o-2024-05-13", "max_tokens", 4_096],
    // Nobody here knows it.
    ["gpt-9", "max_completion_tokens", 8_192],
    ["llama3.2", "max_tokens", 8_192],
  ])("to %s that names no maximum is sent with %s of %i", (model, name, limit) => {
    expect(limited(model)).toMatchObject({ params: { [name]: limit }, outputLimit: limit });
  });

  it("is sent with its key's maximum where that has one", () => {
    expect(limited("gpt-5", {}, { maxOutputTokens: 64 })).toMatchObject({
      params: { max_completion_tokens: 64 },
      outputLimit: 64,
    });
  });

  it("that names a maximum is sent as it is", () => {
    const { params, outputLimit } = limited("gpt-5", { max_completion_tokens: 20_000 });
    expect([params.max_completion_tokens, params.max_tokens, outputLimit]).toEqual([20_000, undefined, undefined]);
    expect(limited("gpt-5", { max_completion_tokens: null }).outputLimit).toBe(8_192);
  });

  it.each(["max_tokens", "max_completion_tokens"])("may only name a %s that its key surely allows", (name) => {
    const ask = (value: unknown) => () => limited("gpt-4o", { [name]: value }, { maxOutputTokens: 64 });
    expect(ask(64)).not.toThrow();
    // Servers differ in what they make of the others: Ollama takes -1 for no limit.
    for (const value of [65, 1e300, -1, 0, "64", 1.5, {}, true])
      expect(ask(value), String(value)).toThrow(
        expect.objectContaining({
          code: "invalid_request",
          param: name,
          message: expect.stringContaining("at most 64"),
        }),
      );
  });

  it("is judged by both names where it has both", () => {
    const both = { max_tokens: 10, max_completion_tokens: 1_000 };
    expect(() => limited("gpt-4o", both, { maxOutputTokens: 64 })).toThrow(/^max_completion_tokens: /);
  });
});

it("a key without a budget has no maximum", () =>
  expect(() => requireOutputWithinLimit({ model: "gpt-5", messages: [], max_tokens: 1e9 }, undefined)).not.toThrow());
