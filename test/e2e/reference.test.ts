import OpenAI from "openai";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { newCaller, picture, type Result, type TestCaller, unique, userMessage } from "./client.ts";

// One test for each row of the tables of the chat completions reference, each through /chat and through /v1.

const stage = inject("stage");
let caller: TestCaller;
let client: OpenAI;
beforeAll(async () => {
  caller = await newCaller(stage);
  client = new OpenAI({ baseURL: `${stage.api}/v1`, apiKey: caller.apiKey, maxRetries: 0 });
});

const model = "gpt-4o-mini";
const say = (text = "Say hello.") => userMessage(`${text} ${unique()}`);

/** Asks both ways, and returns the two answers' choices. */
async function ask(request: object) {
  const ours = await caller.send<Result>("POST", "/chat", { model, ...request });
  expect(ours.body.error).toBeNull();
  expect(ours.status).toBe(200);
  const theirs = (await client.chat.completions.create({ model, ...request } as never)) as OpenAI.ChatCompletion;
  return { result: ours.body, completion: theirs };
}

describe("the parameter", () => {
  test.each<[string, object]>([
    ["model", { model: "gpt-4o" }],
    ["messages", { messages: say() }],
    ["temperature", { temperature: 0.7 }],
    ["max_tokens", { max_tokens: 150 }],
    ["response_format", { response_format: { type: "json_object" }, messages: say("Answer in JSON.") }],
    ["top_p", { top_p: 0.5 }],
    ["stop, as a string", { stop: "###" }],
    ["stop, as a list", { stop: ["###", "END"] }],
    ["presence_penalty", { presence_penalty: -2 }],
    ["frequency_penalty", { frequency_penalty: 2 }],
  ])("%s works", async (_, parameters) => {
    const { result, completion } = await ask({ messages: say(), ...parameters });
    expect(result).toMatchObject({ status: "succeeded", finish_reason: "stop" });
    expect(completion.choices[0]).toMatchObject({ finish_reason: "stop" });
  });

  test("n works", async () => {
    const { result, completion } = await ask({ messages: say(), n: 2 });
    expect([result.choices?.length, completion.choices.length]).toEqual([2, 2]);
  });

  test("stop ends the answer where its sequence begins", async () => {
    const messages = userMessage("I love it");
    const whole = (await ask({ messages })).result.content ?? "";
    const stop = whole.split(" ")[3] ?? "";
    const { result, completion } = await ask({ messages, stop });
    expect(result.content).toBe(whole.slice(0, whole.indexOf(stop)));
    expect(completion.choices[0]?.message.content).toBe(result.content);
  });

  test("max_tokens cuts the answer", async () => {
    const { result, completion } = await ask({ messages: say(), max_tokens: 3 });
    expect(result).toMatchObject({ status: "truncated", usage: { completion_tokens: 3 } });
    expect(completion).toMatchObject({ choices: [{ finish_reason: "length" }], usage: { completion_tokens: 3 } });
  });
});

test.each(["system", "user", "assistant", "developer"])("the role %s works", async (role) => {
  const messages = [{ role, content: "You are helpful." }, ...say()];
  const { result, completion } = await ask({ messages });
  expect([result.status, completion.choices[0]?.message.role]).toEqual(["succeeded", "assistant"]);
});

test.each(["low", "high", "auto"])("the detail %s works", async (detail) => {
  const url = `data:image/png;base64,${(await picture("png")).toString("base64")}`;
  const content = [
    { type: "text", text: unique() },
    { type: "image_url", image_url: { url, detail } },
  ];
  const { result, completion } = await ask({ messages: [{ role: "user", content }] });
  expect(result.usage?.prompt_tokens).toBe(completion.usage?.prompt_tokens);
});

test.each(["jpeg", "png", "gif", "webp"] as const)("an image as %s works", async (format) => {
  const url = `data:image/${format};base64,${(await picture(format)).toString("base64")}`;
  const { result } = await ask({ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }] });
  expect(result.content).toMatch(new RegExp(format));
});

describe("the finish reason", () => {
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  test.each<[string, string, object]>([
    ["stop", "succeeded", { messages: say() }],
    ["length", "truncated", { messages: say(), max_tokens: 1 }],
    [
      "tool_calls",
      "succeeded",
      { messages: say(), tools: [{ type: "function", function: { name: "f", parameters } }], tool_choice: "required" },
    ],
    ["content_filter", "filtered", { messages: say("[[fault:content_filter]]") }],
    [
      "function_call",
      "succeeded",
      { messages: say(), functions: [{ name: "f", parameters }], function_call: { name: "f" } },
    ],
  ])("%s is %s", async (finishReason, status, request) => {
    const { result, completion } = await ask(request);
    expect(result).toMatchObject({ status, finish_reason: finishReason });
    expect(completion.choices[0]?.finish_reason).toBe(finishReason);
  });
});

describe("the exception", () => {
  const raised = (using: OpenAI, text: string): Promise<unknown> =>
    using.chat.completions
      .create({ model, messages: [{ role: "user", content: text }] })
      .catch((error: unknown) => error);
  const withKey = (apiKey: string, baseURL = `${stage.api}/v1`) => new OpenAI({ baseURL, apiKey, maxRetries: 0 });

  test("AuthenticationError", async () => {
    expect(await raised(withKey("sk-wrong"), "Hi")).toBeInstanceOf(OpenAI.AuthenticationError);
  });

  test("PermissionDeniedError, for a model that the key may not use", async () => {
    const restricted = await newCaller(stage, { models: ["gpt-4o"] });
    expect(await raised(withKey(restricted.apiKey), "Hi")).toBeInstanceOf(OpenAI.PermissionDeniedError);
  });

  test("NotFoundError, for a model that there is not", async () => {
    const request = { model: "gpt-99", messages: [{ role: "user" as const, content: "Hi" }] };
    const error = await client.chat.completions.create(request).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
  });

  test.each<[string, string]>([
    ["UnprocessableEntityError", "[[fault:422]]"],
    ["RateLimitError", "[[fault:429 retry_after=600]]"],
    ["InternalServerError", "[[fault:503]]"],
  ])("%s", async (name, text) => {
    const error = await raised(client, text);
    expect(error).toBeInstanceOf(OpenAI[name as "RateLimitError"]);
    expect(error).toBeInstanceOf(OpenAI.APIError);
  });

  test("APIConnectionError, when no stage is there", async () => {
    const nowhere = withKey(caller.apiKey, "http://127.0.0.1:1/v1");
    expect(await raised(nowhere, "Hi")).toBeInstanceOf(OpenAI.APIConnectionError);
  });
});
