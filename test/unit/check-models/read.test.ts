import { describe, expect, it } from "vitest";
import { readGenaiPrices } from "../../../packages/cli/src/check-models/genai-prices.ts";
import { readLiteLLM } from "../../../packages/cli/src/check-models/litellm.ts";
import { readOpenAITypes } from "../../../packages/cli/src/check-models/openai-types.ts";

const today = new Date("2026-11-28T12:00:00Z");

describe("the types of openai", () => {
  const source = `export type AllModels = (string & {}) | ChatModel | 'one-pro';
/**
 * Deprecated values:
 *
 * - "one", "one-2026-01-01": Announced shutdown
 *   date: 2027-01-14. See https://example.com for details and
 *   recommended replacements.
 * - "two-mini": Not a supported model ID. Retained for SDK compatibility.
 */
export type ChatModel = 'one' | 'one-2026-01-01' | 'two' | 'two-mini';
/** Something else. */
export interface ErrorObject {}
`;

  it("name the models of Chat Completions, each with the end that the comment announces", () => {
    const { models } = readOpenAITypes(source);
    expect([...models].map(([name, facts]) => [name, Object.fromEntries(facts)])).toEqual([
      ["one", { ends: "2027-01-14" }],
      ["one-2026-01-01", { ends: "2027-01-14" }],
      ["two", { ends: null }],
    ]);
  });

  it.each([
    ["the type", source.replace("ChatModel =", "ChatModels =")],
    ["the comment", source.replace("*/\nexport type ChatModel", "*/\nconst x = 1;\nexport type ChatModel")],
    ["every end", source.replace("date: 2027", "day: 2027")],
  ])("are not read when they lost %s", (_, changed) => {
    expect(() => readOpenAITypes(changed)).toThrow(/ChatModel/);
  });
});

describe("LiteLLM's table", () => {
  const chat = { litellm_provider: "openai", mode: "chat" };
  const read = (table: unknown) => readLiteLLM(table);
  const factsOf = (entry: object, name = "one") =>
    Object.fromEntries(read({ [name]: { ...chat, ...entry } }).models.get(name) ?? []);

  it("has the models of OpenAI's Chat Completions, and knows which another API serves", () => {
    const { models, elsewhere } = read({
      sample_spec: { mode: "one of: chat, embedding" },
      one: chat,
      two: { ...chat, supported_endpoints: ["/v1/responses", "/v1/chat/completions"] },
      "two-pro": { ...chat, supported_endpoints: ["/v1/responses"] },
      "one-image": { ...chat, mode: "image_generation" },
      "azure/one": { ...chat, litellm_provider: "azure" },
      "openai/container": chat,
      claude: { ...chat, litellm_provider: "anthropic" },
    });
    expect([...models.keys()]).toEqual(["one", "two"]);
    expect([...(elsewhere ?? [])]).toEqual(["two-pro", "one-image"]);
  });

  it("has prices by tier, length and lifetime, in $ per 1M tokens", () => {
    expect(
      factsOf({
        input_cost_per_token: 1e-7,
        cache_read_input_token_cost: 1e-8,
        output_cost_per_token: 7.5e-8,
        input_cost_per_token_batches: 5e-8,
        cache_read_input_token_cost_batches: 5e-9,
        cache_creation_input_token_cost_above_12hr_above_272k_tokens_priority: 1e-6,
        cache_creation_input_token_cost_flex: 6.25e-8,
        output_cost_per_token_above_272k_tokens: 0.00000075,
        input_cost_per_token_ultrafast: 9e-7,
      }),
    ).toEqual({
      input: 0.1,
      "cached input": 0.01,
      output: 0.075,
      "input (batch)": 0.05,
      "cached input (batch)": 0.005,
      "cache write 12h (priority, long)": 1,
      "cache write 30m (flex)": 0.0625,
      "output (long)": 0.75,
    });
  });

  it("charges cached input as other input where it has no price for it", () => {
    expect(
      factsOf({ input_cost_per_token: 2e-6, cache_read_input_token_cost: 5e-7, input_cost_per_token_batches: 1e-6 }),
    ).toEqual({ input: 2, "cached input": 0.5, "input (batch)": 1, "cached input (batch)": 1 });
  });

  it("has ends, replacements, limits, pictures and audio, and says nothing of what it leaves out", () => {
    expect(
      factsOf({ deprecation_date: "2027-01-14", successor_model: "two", max_input_tokens: 9, max_output_tokens: 4 }),
    ).toEqual({ ends: "2027-01-14", replacement: "two", "longest prompt": 9, "longest answer": 4 });
    expect(factsOf({ supported_modalities: ["text", "audio"], supports_vision: true })).toEqual({
      pictures: false,
      audio: true,
    });
    expect(factsOf({ supports_vision: true })).toEqual({ pictures: true });
    expect(factsOf({})).toEqual({});
  });

  it("has the fee of a call for search models, and not that of the Responses API's tool", () => {
    const fees = { search_context_cost_per_query: { search_context_size_medium: 0.025 } };
    expect(factsOf(fees, "one-search")).toEqual({ "fee per call": 0.025 });
    expect(factsOf(fees)).toEqual({});
  });

  it("is not read when it has no such model, or a field has another type", () => {
    expect(() => read({ claude: { litellm_provider: "anthropic", mode: "chat" } })).toThrow(/no model/);
    expect(() => read({ one: { ...chat, deprecation_date: 20270114 } })).toThrow();
    expect(() => read([])).toThrow();
  });
});

describe("genai-prices", () => {
  const read = (entry: object) =>
    Object.fromEntries(
      [...readGenaiPrices([{ id: "one", match: { equals: "one" }, prices: {}, ...entry }], today).models].map(
        ([name, facts]) => [name, Object.fromEntries(facts)],
      ),
    );

  it("has a model by each name that it matches whole", () => {
    const match = {
      or: [{ equals: "one" }, { equals: "one-2026" }, { regex: "^one-\\d+$" }, { starts_with: "ft:one" }],
    };
    expect(Object.keys(read({ match }))).toEqual(["one", "one-2026"]);
  });

  it("has prices, and others above so many tokens of the prompt", () => {
    const tiered = (base: number, price: number) => ({ base, tiers: [{ start: 271_999, price }] });
    expect(
      read({
        context_window: 1_050_000,
        prices: {
          input_mtok: tiered(2, 4),
          cache_read_mtok: tiered(0.2, 0.4),
          cache_write_mtok: 2.5,
          output_mtok: 10,
          input_audio_mtok: 32,
          web_searches_kcount: 10,
        },
      }),
    ).toEqual({
      one: {
        context: 1_050_000,
        input: 2,
        "input (long)": 4,
        "cached input": 0.2,
        "cached input (long)": 0.4,
        "cache write 30m": 2.5,
        output: 10,
        "audio input": 32,
      },
    });
  });

  it("charges cached input as other input where it has no price for it", () => {
    expect(read({ prices: { input_mtok: 2 } })).toEqual({ one: { input: 2, "cached input": 2 } });
  });

  it("has the prices that hold today", () => {
    const from = (start_date: string, input_mtok: number) => ({
      constraint: { type: "start_date", start_date },
      prices: { input_mtok },
    });
    const prices = [{ prices: { input_mtok: 5 } }, from("2026-12-01", 1), from("2026-08-21", 4), from("2026-07-01", 3)];
    expect(read({ prices })).toMatchObject({ one: { input: 4 } });
  });

  it("is not read when it has another shape", () => {
    expect(() => readGenaiPrices({}, today)).toThrow();
    expect(() => readGenaiPrices([], today)).toThrow(/no model/);
    expect(() => readGenaiPrices([{ id: "one", match: { equals: "one" } }], today)).toThrow();
  });
});
