import { describe, expect, test } from "vitest";
import { chatCall } from "../../../packages/core/src/chat/chat.ts";
import { chatRequest } from "../../../packages/core/src/chat/schema.ts";

const tools = [{ type: "function", function: { name: "look_up", parameters: { type: "object", properties: {} } } }];
const messages = [{ role: "user", content: "Hi" }];

/** What is sent to OpenAI for a request. */
const sentBy = (request: object) =>
  chatCall({ defaultModel: "gpt-6-luna" }, chatRequest.parse({ messages, ...request })).params;

describe("the reasoning_effort of a request that names none", () => {
  test.each([
    ["function tools", { tools }],
    ["a temperature", { temperature: 0.2 }],
    ["top_p", { top_p: 0.5 }],
  ])("is none on the default model when the request has %s, which it refuses otherwise", (_, request) => {
    expect(sentBy(request).reasoning_effort).toBe("none");
    expect(sentBy({ ...request, model: "openai/gpt-5.6" }).reasoning_effort).toBe("none");
  });

  test.each([
    ["a plain request", {}],
    ["a temperature of 1", { temperature: 1 }],
    ["a custom tool", { tools: [{ type: "custom", custom: { name: "run" } }] }],
    ["a model that takes both", { model: "gpt-4o-mini", tools, temperature: 0 }],
    ["a model that does not reason unless asked", { model: "gpt-5.4", tools, temperature: 0 }],
    ["a model that always reasons", { model: "gpt-6-astra", tools }],
    ["a model that is not known", { model: "llama3.2", tools, temperature: 0 }],
  ])("is left to OpenAI for %s", (_, request) => {
    expect(sentBy(request)).not.toHaveProperty("reasoning_effort");
  });

  test("is never changed when the request names one", () => {
    expect(sentBy({ tools, reasoning_effort: "high" }).reasoning_effort).toBe("high");
  });
});
