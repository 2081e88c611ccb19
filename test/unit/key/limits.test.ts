import { describe, expect, it } from "vitest";
import { parseKeyLimits } from "../../../packages/cli/src/key-limits.ts";
import { isModelAllowed } from "../../../packages/core/src/key/enforce-limits.ts";
import { budgetOf, unlimited } from "../../../packages/core/src/key/limits.ts";
import { fromAuthorizerContext, toAuthorizerContext } from "../../../packages/functions/src/authorizer-context.ts";

describe("a key's models", () => {
  it.each([
    ["gpt-4o-mini", true],
    ["gpt-4o-mini-2024-07-18", true],
    ["gpt-4o", false],
    ["gpt-4o-mini-audio-preview", false],
    ["GPT-4o-mini", false],
    ["gpt-4o-mini-2024-07-18-custom", false],
  ])("of the family gpt-4o-mini: %s is %s", (model, allowed) => {
    expect(isModelAllowed(["o3", "gpt-4o-mini"], model)).toBe(allowed);
  });

  it("of a snapshot allow that snapshot alone", () => {
    expect(isModelAllowed(["gpt-4o-2024-08-06"], "gpt-4o-2024-08-06")).toBe(true);
    expect(isModelAllowed(["gpt-4o-2024-08-06"], "gpt-4o")).toBe(false);
    expect(isModelAllowed(["gpt-4o-2024-08-06"], "gpt-4o-2024-11-20")).toBe(false);
  });

  it.each([
    // Other spellings of what it names.
    ["gpt-4o-mini", "openai/gpt-4o-mini", true],
    ["gpt-4o-mini", "openrouter/openai/gpt-4o-mini-2024-07-18", true],
    ["gpt-3.5-turbo", "gpt-35-turbo", true],
    ["gpt-4o-2024-08-06", "azure/gpt-4o-2024-08-06", true],
    ["gpt-5.6", "gpt-5.6-sol", true],
    ["gpt-5.6-sol", "gpt-5.6", true],
    ["gpt-5.6", "openai/gpt-5.6-sol-2026-08-01", true],
    ["gpt-4", "gpt-4-0613", true],
    ["ft:gpt-4o-mini-2024-07-18:acme::x", "ft:gpt-4o-mini-2024-07-18:acme::x", true],
    ["llama3.2", "llama3.2", true],
    // Nothing else.
    ["gpt-4-0613", "gpt-4", false],
    ["gpt-4o-2024-08-06", "openai/gpt-4o", false],
    ["gpt-5.6", "gpt-5.6-terra", false],
    ["gpt-4o-mini", "ft:gpt-4o-mini-2024-07-18:acme::x", false],
    ["gpt-4o-mini", "FT:gpt-4o-mini:acme::x", false],
    ["gpt-4o-mini", "openai/ft:gpt-4o-mini:acme::x", false],
    ["ft:gpt-4o-mini-2024-07-18:acme::x", "ft:gpt-4o-mini-2024-07-18:acme::y", false],
    ["ft:gpt-4o-mini:acme::x", "ft:gpt-4o-mini:acme::x-2026-01-01", false],
    ["ft:gpt-4o-mini-2024-07-18:acme::x", "gpt-4o-mini", false],
    ["openai/gpt-4o-mini", "gpt-4o-mini", false],
    ["gpt-4o-mini", "other/gpt-4o-mini", false],
  ])("a key for %s: %s is %s", (listed, model, allowed) => expect(isModelAllowed([listed], model)).toBe(allowed));

  it("are all when none are named", () => expect(isModelAllowed(null, "anything")).toBe(true));
});

describe("what the authorizer hands on", () => {
  it.each([
    { keyId: "key_1", ...unlimited },
    {
      keyId: "key_2",
      budgetNanoUsd: 50_000_000_001,
      models: ["gpt-4o-mini", "org/model:tag"],
      rpm: 60,
      maxOutputTokens: 4_096,
    },
    { keyId: "key_3", budgetNanoUsd: 0, models: null, rpm: null, maxOutputTokens: null },
  ])("arrives as it was: %j", (key) => {
    const context = toAuthorizerContext(key);
    for (const value of Object.values(context)) expect(value).toBeTypeOf("string");
    expect(fromAuthorizerContext(context)).toEqual(key);
  });

  it("charges nothing to a key without a budget, and may forbid all spending", () => {
    expect(budgetOf({ keyId: "key_1", ...unlimited })).toBeUndefined();
    expect(budgetOf({ keyId: "key_1", ...unlimited, budgetNanoUsd: 0 })).toEqual({ keyId: "key_1", limitNanoUsd: 0 });
  });

  it("keeps the key's output limit with its budget", () => {
    const key = { keyId: "key_1", ...unlimited, budgetNanoUsd: 9, maxOutputTokens: 64 };
    expect(budgetOf(key)).toEqual({ keyId: "key_1", limitNanoUsd: 9, maxOutputTokens: 64 });
  });
});

describe("limits as an operator writes them", () => {
  it.each([
    ["50", 50_000_000_000],
    ["0.25", 250_000_000],
    ["$1.000000001", 1_000_000_001],
    ["0", 0],
  ])("a budget of %s is exact", (written, nanoUsd) => {
    expect(parseKeyLimits({ "budget-usd": written }).budgetNanoUsd).toBe(nanoUsd);
  });

  it.each(["-1", "1e3", "1,000", "", "0.0000000001", "10000000"])("a budget of %j is refused", (written) => {
    expect(() => parseKeyLimits({ "budget-usd": written })).toThrow(/^--budget-usd .*: Give dollars/);
  });

  it("an output limit needs a budget, which it bounds", () => {
    const both = parseKeyLimits({ "budget-usd": "1", "max-output-tokens": "4096" });
    expect(both).toMatchObject({ budgetNanoUsd: 1_000_000_000, maxOutputTokens: 4_096 });
    expect(() => parseKeyLimits({ "max-output-tokens": "4096" })).toThrow(/Give --budget-usd as well/);
    for (const written of ["0", "-1", "1.5", "many"])
      expect(() => parseKeyLimits({ "budget-usd": "1", "max-output-tokens": written })).toThrow(
        /whole number of tokens/,
      );
  });

  it("are none where nothing is written", () => expect(parseKeyLimits({})).toEqual(unlimited));
});
