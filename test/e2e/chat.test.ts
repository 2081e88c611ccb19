import { beforeAll, describe, expect, inject, test } from "vitest";
import {
  billed,
  billedUsage,
  type ErrorBody,
  newCaller,
  type Result,
  type TestCaller,
  unique,
  userMessage,
} from "./client.ts";

const stage = inject("stage");
let caller: TestCaller;
beforeAll(async () => {
  caller = await newCaller(stage);
});

const chat = <T = Result>(body: unknown, headers?: Record<string, string>) =>
  caller.send<T>("POST", "/chat", body, headers);

describe("POST /chat", () => {
  test("answers plain text, priced from OpenAI's own usage", async () => {
    const { status, headers, body } = await chat({ messages: userMessage(`What a lovely day. ${unique()}`) });
    expect(status).toBe(200);
    expect(headers.get("x-request-id")).toBeTruthy();
    expect(headers.get("x-tollgate-result")).toBe(body.id);
    expect(body).toMatchObject({
      object: "result",
      kind: "chat",
      source: "http",
      status: "succeeded",
      owner: caller.owner,
      model: "gpt-6-luna",
      schema: null,
      output: null,
      refusal: null,
      finish_reason: "stop",
      error: null,
    });
    expect(body.content).toBeTruthy();
    const usage = await billedUsage(stage, body);
    expect(body.usage).toMatchObject(usage);
    // $0.10 and $0.50 per million tokens.
    const nanoUsd = usage.prompt_tokens * 100 + usage.completion_tokens * 500;
    expect(body.cost).toEqual({ usd: (nanoUsd / 1e9).toFixed(9), priced: true });
  });

  test("answers with a registered schema's output", async () => {
    const { body } = await chat({
      schema: "sentiment",
      messages: userMessage(`I love this wonderful product! ${unique()}`),
    });
    expect(body).toMatchObject({ status: "succeeded", schema: "sentiment", output: { sentiment: "positive" } });
    expect(JSON.parse(body.content ?? "")).toEqual(body.output);
  });

  test("answers with the output of an inline strict schema", async () => {
    const schema = {
      type: "object",
      properties: { sentiment: { type: "string", enum: ["positive", "negative"] }, words: { type: "integer" } },
      required: ["sentiment", "words"],
      additionalProperties: false,
    };
    const response_format = { type: "json_schema", json_schema: { name: "mood", strict: true, schema } };
    const { body } = await chat({
      response_format,
      messages: userMessage(`This is terrible and I hate it. ${unique()}`),
    });
    expect(body.output).toEqual({ sentiment: "negative", words: expect.any(Number) });
  });

  test("answers with JSON in JSON mode", async () => {
    const { body } = await chat({
      response_format: { type: "json_object" },
      messages: userMessage(`Say hello in JSON. ${unique()}`),
    });
    expect(body.status).toBe("succeeded");
    expect(body.output).toBeTypeOf("object");
  });

  test("gives every choice of several, and their sum once", async () => {
    const { body } = await chat({ n: 3, schema: "sentiment", messages: userMessage(`Good. ${unique()}`) });
    expect(body.choices).toHaveLength(3);
    expect(body.choices?.map(({ output }) => output)).toEqual(
      Array(3).fill(expect.objectContaining({ sentiment: "positive" })),
    );
    expect(body.usage).toMatchObject(await billedUsage(stage, body));
  });

  test("gives tool calls", async () => {
    const tools = [
      {
        type: "function",
        function: {
          name: "get_weather",
          parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
        },
      },
    ];
    const { body } = await chat({
      tools,
      tool_choice: "required",
      messages: userMessage(`Weather in Oslo? ${unique()}`),
    });
    expect(body).toMatchObject({ status: "succeeded", finish_reason: "tool_calls", content: null });
    expect(body.tool_calls).toEqual([
      { id: expect.any(String), type: "function", function: { name: "get_weather", arguments: expect.any(String) } },
    ]);
  });

  test("sends max_tokens as the model takes it", async () => {
    const request = { max_tokens: 2000, messages: userMessage(`Hello. ${unique()}`) };
    expect((await chat({ ...request, model: "gpt-5-mini" })).body).toMatchObject({ status: "succeeded" });
    expect((await chat({ ...request, model: "gpt-4o" })).body).toMatchObject({ status: "succeeded" });
  });

  test.each([
    ["refusal", "refused"],
    ["length", "truncated"],
    ["content_filter", "filtered"],
  ])("tells a %s apart and keeps its usage", async (fault, expected) => {
    const before = await caller.usage();
    const { status, body } = await chat({
      schema: "sentiment",
      messages: userMessage(`[[fault:${fault}]] ${unique()}`),
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: expected, output: null, error: null });
    const after = await caller.usage();
    expect(after.total_tokens - before.total_tokens).toBe(body.usage?.total_tokens);
  });

  test("keeps the usage of an answer that does not fit its schema, and fails with invalid_output", async () => {
    const before = await caller.usage();
    const { status, body } = await chat<ErrorBody>({
      schema: "sentiment",
      messages: userMessage(`[[fault:off_schema]] ${unique()}`),
    });
    expect(status).toBe(502);
    expect(body.error).toMatchObject({ code: "invalid_output", type: "server_error" });
    const result = (await caller.send<Result>("GET", `/results/${body.error.result_id}`)).body;
    expect(result).toMatchObject({ status: "failed", error: { code: "invalid_output" }, output: null });
    expect(result.usage?.total_tokens).toBeGreaterThan(0);
    const after = await caller.usage();
    expect(after.total_tokens - before.total_tokens).toBe(result.usage?.total_tokens);
    expect(after.failed - before.failed).toBe(1);
  });
});

describe("an Idempotency-Key", () => {
  test("answers the same request with the same result, and asks OpenAI once", async () => {
    const request = { schema: "sentiment", messages: userMessage(`Great! ${unique()}`) };
    const key = { "idempotency-key": unique() };
    const before = await billed(stage);
    const first = await chat(request, key);
    const second = await chat(request, key);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get("idempotent-replayed")).toBe("true");
    expect((await billed(stage)).size).toBe(before.size + 1);
  });

  test("of another request is refused", async () => {
    const key = { "idempotency-key": unique() };
    await chat({ messages: userMessage(unique()) }, key);
    const { status, body } = await chat<ErrorBody>({ messages: userMessage(unique()) }, key);
    expect(status).toBe(409);
    expect(body.error).toMatchObject({ code: "idempotency_mismatch", param: "Idempotency-Key" });
  });

  test("of another owner is another key", async () => {
    const other = await newCaller(stage);
    const key = { "idempotency-key": unique() };
    const first = await chat({ messages: userMessage(unique()) }, key);
    const second = await other.send<Result>("POST", "/chat", { messages: userMessage(unique()) }, key);
    expect(second.status).toBe(200);
    expect(second.body.id).not.toBe(first.body.id);
  });

  test("that is in use answers 409 with Retry-After, and one call is billed", async () => {
    const request = { messages: userMessage(`[[fault:slow ms=1000]] ${unique()}`) };
    const key = { "idempotency-key": unique() };
    const before = await billed(stage);
    const answers = await Promise.all([0, 1, 2, 3].map(() => chat<Result & ErrorBody>(request, key)));
    const done = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 409);
    expect(done.length).toBeGreaterThanOrEqual(1);
    expect(done.length + refused.length).toBe(4);
    for (const { headers, body } of refused) {
      expect(body.error.code).toBe("in_progress");
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect((await billed(stage)).size).toBe(before.size + 1);
  });

  test("may be tried again after a passing failure", async () => {
    const request = { messages: userMessage(`[[fault:500]] ${unique()}`) };
    const key = { "idempotency-key": unique() };
    const failed = await chat<ErrorBody>(request, key);
    expect(failed.status).toBe(502);
    const again = await chat<ErrorBody>(request, key);
    expect(again.status).toBe(502);
    expect(again.headers.get("idempotent-replayed")).toBeNull();
    expect(again.body.error.result_id).toBe(failed.body.error.result_id);
  });
});

describe("when OpenAI fails", () => {
  test.each([
    ["401", 503, "upstream_auth"],
    ["429 code=insufficient_quota", 503, "upstream_quota"],
    ["429 retry_after=600", 429, "rate_limited"],
    ["500", 502, "upstream_error"],
    ["reset", 502, "upstream_error"],
    ["malformed", 502, "upstream_error"],
    ["truncated", 502, "upstream_error"],
    ["hang", 504, "upstream_timeout"],
  ])("a %s is a %i %s, names its result and bills nothing", async (fault, status, code) => {
    const owner = await newCaller(stage);
    const answer = await owner.send<ErrorBody>("POST", "/chat", {
      messages: userMessage(`[[fault:${fault}]] ${unique()}`),
    });
    expect(answer.body.error).toMatchObject({ code });
    expect(answer.status).toBe(status);
    const result = await owner.send<Result>("GET", `/results/${answer.body.error.result_id}`);
    expect(result.body).toMatchObject({ status: "failed", usage: null, cost: null, error: { code } });
    expect(await owner.usage()).toMatchObject({ requests: 1, failed: 1, total_tokens: 0, cost_usd: "0.000000000" });
  });

  test("a long Retry-After is told to the caller", async () => {
    const { headers } = await chat({ messages: userMessage(`[[fault:429 retry_after=600]] ${unique()}`) });
    expect(headers.get("retry-after")).toBe("600");
  });

  test("a rate limit without one is told with 5 seconds", async () => {
    const { status, headers } = await chat({ messages: userMessage(`[[fault:429]] ${unique()}`) });
    expect([status, headers.get("retry-after")]).toEqual([429, "5"]);
  });

  test("a short one is waited for, and the attempts are told", async () => {
    const { status, body } = await chat({
      messages: userMessage(`[[fault:429 retry_after_ms=50 times=1]] ${unique()}`),
    });
    expect(status).toBe(200);
    expect(body.openai?.attempts).toBe(2);
  });

  test("attempts that may have been billed unseen are counted", async () => {
    const owner = await newCaller(stage);
    await owner.send("POST", "/chat", { messages: userMessage(`[[fault:reset_after_billing]] ${unique()}`) });
    expect((await owner.usage()).unaccounted_attempts).toBeGreaterThan(0);
  });
});
