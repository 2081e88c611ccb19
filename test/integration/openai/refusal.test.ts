import { describe, expect, it } from "vitest";
import { saying, simulate, wire } from "./simulation.ts";

const openai = await simulate();

async function refused(body: unknown, headers?: Record<string, string>) {
  const response = await openai.post(body, headers);
  const { error } = await wire(response);
  return { status: response.status, ...error };
}

const user = { role: "user", content: "hi" };
const tool = { type: "function", function: { name: "lookup", parameters: { type: "object", properties: {} } } };

describe("the key", () => {
  it("refuses a missing and a wrong key with 401 invalid_api_key", async () => {
    const missing = await fetch(`${openai.url}/v1/models`);
    expect(missing.status).toBe(401);
    expect((await wire(missing)).error.code).toBe("invalid_api_key");
    expect(await refused(saying("hi"), { authorization: "Bearer sk-other-1234" })).toMatchObject({
      status: 401,
      code: "invalid_api_key",
      message: expect.stringContaining("sk-***1234"),
    });
  });
});

describe("parameters", () => {
  const invalid = "invalid_request_error";
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ["an unknown model", { model: "gpt-9" }, { status: 404, code: "model_not_found", type: invalid }],
    ["an unknown argument", { top_k: 4 }, { message: "Unrecognized request argument supplied: top_k" }],
    ["no model", { model: undefined }, { message: "you must provide a model parameter" }],
    ["no messages", { messages: undefined }, { param: "messages", code: "missing_required_parameter" }],
    ["empty messages", { messages: [] }, { param: "messages", code: "empty_array" }],
    ["messages of a wrong type", { messages: "hi" }, { param: "messages", code: "invalid_type" }],
    [
      "an unknown role",
      { messages: [{ role: "robot", content: "hi" }] },
      { param: "messages[0].role", code: "invalid_value" },
    ],
    [
      "an unknown key in a message",
      { messages: [{ ...user, mood: 1 }] },
      { param: "messages[0].mood", code: "unknown_parameter" },
    ],
    ["a user message without content", { messages: [{ role: "user" }] }, { param: "messages[0].content" }],
    ["temperature as text", { temperature: "hot" }, { param: "temperature", code: "invalid_type" }],
    ["temperature 2.1", { temperature: 2.1 }, { param: "temperature", code: "decimal_above_max_value" }],
    ["temperature -1", { temperature: -1 }, { param: "temperature", code: "decimal_below_min_value" }],
    ["top_p 1.1", { top_p: 1.1 }, { param: "top_p", code: "decimal_above_max_value" }],
    ["presence_penalty 3", { presence_penalty: 3 }, { param: "presence_penalty", code: "decimal_above_max_value" }],
    [
      "frequency_penalty -3",
      { frequency_penalty: -3 },
      { param: "frequency_penalty", code: "decimal_below_min_value" },
    ],
    ["n 0", { n: 0 }, { param: "n", code: "integer_below_min_value" }],
    ["n 129", { n: 129 }, { param: "n", code: "integer_above_max_value" }],
    ["n 1.5", { n: 1.5 }, { param: "n", code: "invalid_type" }],
    ["five stop sequences", { stop: ["a", "b", "c", "d", "e"] }, { param: "stop", code: "array_above_max_length" }],
    ["max_tokens 0", { max_tokens: 0 }, { param: "max_tokens", code: "integer_below_min_value" }],
    ["both length limits", { max_tokens: 5, max_completion_tokens: 5 }, { code: "invalid_parameter_combination" }],
    [
      "top_logprobs 21",
      { logprobs: true, top_logprobs: 21 },
      { param: "top_logprobs", code: "integer_above_max_value" },
    ],
    ["top_logprobs without logprobs", { top_logprobs: 2 }, { param: "top_logprobs" }],
    ["stream_options without stream", { stream_options: { include_usage: true } }, { param: "stream_options" }],
    [
      "17 metadata pairs",
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, ""])) },
      { code: "object_above_max_properties" },
    ],
    [
      "a metadata key of 65",
      { metadata: { ["k".repeat(65)]: "" } },
      { param: "metadata", code: "string_above_max_length" },
    ],
    [
      "a metadata value of 513",
      { store: true, metadata: { k: "v".repeat(513) } },
      { param: "metadata.k", code: "string_above_max_length" },
    ],
    ["an unknown service tier", { service_tier: "gold" }, { param: "service_tier", code: "invalid_value" }],
    [
      "reasoning_effort for a model that does not reason",
      { reasoning_effort: "low" },
      { message: "Unrecognized request argument supplied: reasoning_effort" },
    ],
    [
      "JSON mode without the word",
      { response_format: { type: "json_object" } },
      { param: "messages", message: expect.stringContaining("'json'") },
    ],
    [
      "an unknown response format",
      { response_format: { type: "xml" } },
      { param: "response_format.type", code: "invalid_value" },
    ],
    [
      "a schema name with a space",
      { response_format: { type: "json_schema", json_schema: { name: "a b", schema: {} } } },
      { param: "response_format.json_schema.name" },
    ],
    ["tool_choice without tools", { tool_choice: "auto" }, { param: "tool_choice" }],
    ["parallel_tool_calls without tools", { parallel_tool_calls: true }, { param: "parallel_tool_calls" }],
    [
      "a tool_choice that is no tool",
      { tools: [tool], tool_choice: { type: "function", function: { name: "other" } } },
      { param: "tool_choice" },
    ],
    [
      "a tool name with a space",
      { tools: [{ type: "function", function: { name: "a b" } }] },
      { param: "tools[0].function.name" },
    ],
    [
      "a tool whose parameters are a list",
      { tools: [{ type: "function", function: { name: "a", parameters: { type: "array" } } }] },
      { code: "invalid_function_parameters" },
    ],
  ])("refuses %s", async (_, changes, error) => {
    expect(await refused(saying("hi", changes))).toMatchObject({ status: 400, type: invalid, ...error });
  });

  it("refuses a body that is not JSON", async () => {
    expect(await refused("{not json")).toMatchObject({
      status: 400,
      message: expect.stringMatching(/could not parse/),
    });
  });

  it("takes null for an absent optional parameter", async () => {
    const nulls = { temperature: null, stop: null, max_tokens: null, tools: null, response_format: null, stream: null };
    expect((await openai.post(saying("hi", nulls))).status).toBe(200);
  });

  it("takes store, user, metadata, seed and the caching hints", async () => {
    const hints = {
      store: true,
      user: "u",
      metadata: { a: "b" },
      seed: 7,
      prompt_cache_key: "k",
      safety_identifier: "s",
    };
    expect((await openai.post(saying("hi", hints))).status).toBe(200);
  });
});

describe("reasoning models", () => {
  it.each(["o3-mini", "o4-mini", "gpt-5", "gpt-5.6-sol"])("refuses max_tokens on %s", async (model) => {
    expect(await refused(saying("hi", { model, max_tokens: 9 }))).toEqual({
      status: 400,
      message:
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      type: "invalid_request_error",
      param: "max_tokens",
      code: "unsupported_parameter",
    });
  });

  it("refuses any temperature but 1, unless the effort is none", async () => {
    const warm = { model: "gpt-6-luna", temperature: 0.7 };
    expect(await refused(saying("hi", warm))).toMatchObject({ param: "temperature", code: "unsupported_value" });
    expect((await openai.post(saying("hi", { ...warm, temperature: 1 }))).status).toBe(200);
    expect((await openai.post(saying("hi", { ...warm, reasoning_effort: "none" }))).status).toBe(200);
    // gpt-5.1 to 5.4 do not reason unless they are told to.
    expect((await openai.post(saying("hi", { ...warm, model: "gpt-5.1" }))).status).toBe(200);
  });

  it("refuses an effort that the model does not have, listing those it has", async () => {
    expect(await refused(saying("hi", { model: "o3", reasoning_effort: "none" }))).toMatchObject({
      code: "unsupported_value",
      message: expect.stringContaining("'low', 'medium', and 'high'"),
    });
  });
});

describe("tool messages", () => {
  const call = { id: "call_1", type: "function", function: { name: "lookup", arguments: "{}" } };
  const caller = { role: "assistant", content: null, tool_calls: [call] };
  const result = { role: "tool", tool_call_id: "call_1", content: "42" };

  it("refuses a tool message that answers no call", async () => {
    expect(await refused({ model: "gpt-4o", messages: [user, result] })).toMatchObject({
      status: 400,
      param: "messages.[1].role",
      message: expect.stringContaining("must be a response to a preceeding message with 'tool_calls'"),
    });
  });

  it("refuses a call that no tool message answers, naming it", async () => {
    expect(await refused({ model: "gpt-4o", messages: [user, caller, user] })).toMatchObject({
      status: 400,
      message: expect.stringContaining("call_1"),
    });
  });

  it("takes a call and its answer", async () => {
    expect((await openai.post({ model: "gpt-4o", messages: [user, caller, result], tools: [tool] })).status).toBe(200);
  });
});

describe("routes", () => {
  it("answers 404 for an unknown path and 405 for a wrong method", async () => {
    const headers = { authorization: `Bearer ${openai.apiKey}` };
    expect((await fetch(`${openai.url}/v1/embeddings`, { method: "POST", headers })).status).toBe(404);
    expect((await fetch(`${openai.url}/v1/chat/completions`, { headers })).status).toBe(405);
  });

  it("lists its models and retrieves one", async () => {
    const ids = (await openai.client.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining(["gpt-4o", "gpt-4o-mini-2024-07-18", "o3", "gpt-5.4-nano", "gpt-6-luna"]),
    );
    expect(await openai.client.models.retrieve("gpt-4.1")).toMatchObject({ id: "gpt-4.1", object: "model" });
    await expect(openai.client.models.retrieve("gpt-9")).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
  });
});
