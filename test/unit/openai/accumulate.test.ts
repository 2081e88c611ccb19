import { createAccumulator } from "@tollgate/core/openai/accumulate";
import { createUpstream } from "@tollgate/core/openai/client";
import type { ChatCompletionChunk, ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { describe, expect, test } from "vitest";
import { saying, simulate } from "../../integration/openai/simulation.ts";

type Chunk = Parameters<ReturnType<typeof createAccumulator>["add"]>[0];
type ToolCallDelta = ChatCompletionChunk.Choice.Delta.ToolCall;
const head = {
  id: "chatcmpl-1",
  created: 7,
  model: "gpt-4o",
  service_tier: "default" as const,
  system_fingerprint: "fp",
};

function bodyOf(chunks: Chunk[]) {
  const accumulator = createAccumulator();
  for (const chunk of chunks) accumulator.add(chunk);
  return { body: accumulator.body(), whole: accumulator.isWhole(), deltas: accumulator.deltas() };
}

describe("a stream's chunks", () => {
  test("make the body that OpenAI would have sent at once", () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const { body, whole, deltas } = bodyOf([
      { ...head, choices: [{ index: 0, delta: { role: "assistant", content: "" } }] },
      { ...head, choices: [{ index: 0, delta: { content: "Hel" } }] },
      { ...head, choices: [{ index: 0, delta: { content: "lo" } }] },
      { ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
      { ...head, choices: [], usage },
    ]);
    expect(body).toMatchObject({ ...head, object: "chat.completion", usage });
    expect(body.choices).toEqual([
      {
        index: 0,
        message: { role: "assistant", content: "Hello", refusal: null },
        finish_reason: "stop",
        logprobs: null,
      },
    ]);
    expect([whole, deltas]).toEqual([true, 2]);
  });

  test("are put together choice by choice, whatever their order", () => {
    const { body } = bodyOf([
      { ...head, choices: [{ index: 1, delta: { content: "b" }, finish_reason: "length" }] },
      { ...head, choices: [{ index: 0, delta: { content: "a" }, finish_reason: "stop" }] },
    ]);
    expect(body.choices.map(({ message }) => message.content)).toEqual(["a", "b"]);
  });

  test("join the arguments of each tool call", () => {
    const call = (index: number, changes: object) => ({
      ...head,
      choices: [{ index: 0, delta: { tool_calls: [{ index, ...changes }] } }],
    });
    const { body } = bodyOf([
      call(0, { id: "a", type: "function", function: { name: "f", arguments: "" } }),
      call(0, { function: { arguments: '{"x"' } }),
      call(1, { id: "b", type: "function", function: { name: "g", arguments: "{}" } }),
      call(0, { function: { arguments: ":1}" } }),
    ]);
    expect(body.choices[0]?.message.tool_calls).toEqual([
      { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
      { id: "b", type: "function", function: { name: "g", arguments: "{}" } },
    ]);
  });

  test("join the input of each custom tool call, beside functions", () => {
    const calls = (...tool_calls: ToolCallDelta[]) => ({ ...head, choices: [{ index: 0, delta: { tool_calls } }] });
    const { body, deltas } = bodyOf([
      calls({ index: 0, id: "a", type: "custom", custom: { name: "sql", input: "" } }),
      calls(
        { index: 0, custom: { input: "SELECT" } },
        { index: 1, id: "b", type: "function", function: { name: "f" } },
      ),
      calls({ index: 0, custom: { input: " 1" } }, { index: 1, function: { arguments: "{}" } }),
    ]);
    expect(body.choices[0]?.message.tool_calls).toEqual([
      { id: "a", type: "custom", custom: { name: "sql", input: "SELECT 1" } },
      { id: "b", type: "function", function: { name: "f", arguments: "{}" } },
    ]);
    expect(deltas).toBe(3);
  });

  describe("of a server that counts its tool calls wrong", () => {
    const callsOf = (...deltas: object[]) =>
      bodyOf(
        deltas.map((call) => ({ ...head, choices: [{ index: 0, delta: { tool_calls: [call] } }] })) as Chunk[],
      ).body.choices[0]?.message.tool_calls?.map((call) => {
        const { id, function: called } = call as { id: string; function: { name: string; arguments: string } };
        return [id, called.name, called.arguments];
      });
    const begun = (id: string, name: string, args: unknown = "") => ({ id, function: { name, arguments: args } });
    const more = (args: unknown, changes: object = {}) => ({ function: { arguments: args }, ...changes });

    test("keep calls apart that all have index 0, and their pieces together", () => {
      expect(
        callsOf(
          { index: 0, ...begun("a", "f") },
          { index: 0, ...more('{"x"') },
          { index: 0, ...more(":1}") },
          { index: 0, ...begun("b", "f") },
          { index: 0, ...more("{}") },
        ),
      ).toEqual([
        ["a", "f", '{"x":1}'],
        ["b", "f", "{}"],
      ]);
    });

    test("give a delta without id and index to the call before it", () => {
      expect(callsOf(begun("a", "f"), more("{"), more("}"), begun("b", "g"), more("{}"), more("", { id: "" }))).toEqual(
        [
          ["a", "f", "{}"],
          ["b", "g", "{}"],
        ],
      );
    });

    test("know a call by its id, whatever the index says", () => {
      expect(
        callsOf(
          { index: 0, ...begun("a", "f") },
          { index: 1, ...begun("b", "g") },
          { index: 1, ...more("{1}", { id: "a" }) },
          { index: 0, ...more("{2}", { id: "b" }) },
        ),
      ).toEqual([
        ["a", "f", "{1}"],
        ["b", "g", "{2}"],
      ]);
    });

    test("take a delta with an index of its own, or a new id, and no name for one that continues", () => {
      expect(
        callsOf({ index: 0, ...begun("a", "f") }, { index: 1, ...more("{") }, { index: 0, ...more("}", { id: "z" }) }),
      ).toEqual([["a", "f", "{}"]]);
    });

    test("do not repeat a name that stands in every delta", () => {
      expect(
        callsOf(
          { index: 0, ...begun("a", "f") },
          { index: 0, ...begun("", "f", '{"x"') },
          { index: 0, ...begun("a", "f", ":1}") },
        ),
      ).toEqual([["a", "f", '{"x":1}']]);
    });

    test("tell whole calls apart that have neither ids nor indexes", () => {
      const whole = begun("", "f", '{"x":1}');
      expect(callsOf(whole, whole, begun("", "g", "{}"))).toEqual([
        ["", "f", '{"x":1}'],
        ["", "f", '{"x":1}'],
        ["", "g", "{}"],
      ]);
    });

    test("write arguments as text that came as an object", () => {
      expect(callsOf({ index: 0, ...begun("a", "f", { x: 1 }) }, { index: 1, ...begun("b", "g", {}) })).toEqual([
        ["a", "f", '{"x":1}'],
        ["b", "g", "{}"],
      ]);
    });

    test("keep the fields of a call that we do not know", () => {
      const { body } = bodyOf([
        {
          ...head,
          choices: [{ index: 0, delta: { tool_calls: [{ ...begun("a", "f", "{}"), extra_content: { s: 1 } }] } }],
        },
      ] as unknown as Chunk[]);
      expect(body.choices[0]?.message.tool_calls).toMatchObject([{ extra_content: { s: 1 } }]);
    });
  });

  test("never replace something with nothing", () => {
    const { body } = bodyOf([
      { ...head, choices: [{ index: 0, delta: { content: "a" }, finish_reason: "stop" }] },
      {
        id: "",
        created: 0,
        model: "",
        service_tier: null,
        system_fingerprint: "",
        choices: [{ index: 0, finish_reason: null }],
      },
    ] as Chunk[]);
    expect(body).toMatchObject({ ...head, choices: [{ finish_reason: "stop" }] });
  });

  test("keep what no name of theirs can harm", () => {
    const chunk = JSON.parse(
      '{"__proto__":{"a":1},"choices":[{"index":0,"__proto__":{"b":1},"delta":{"content":"x","__proto__":{"c":1}}}]}',
    );
    const { body } = bodyOf([chunk]);
    expect(Object.keys(body)).toContain("__proto__");
    expect([Object.getPrototypeOf(body), (body as { a?: number }).a]).toEqual([Object.prototype, undefined]);
  });

  test("join the arguments of the deprecated function call", () => {
    const call = (function_call: object) => ({ ...head, choices: [{ index: 0, delta: { function_call } }] });
    const { body, deltas } = bodyOf([
      call({ name: "f", arguments: "" }),
      call({ arguments: '{"x"' }),
      call({ arguments: ":1}" }),
    ]);
    expect(body.choices[0]?.message.function_call).toEqual({ name: "f", arguments: '{"x":1}' });
    expect(deltas).toBe(3);
  });

  test("join audio and its transcript; when it expires comes last, and alone", () => {
    const audio = (audio: object) => ({ index: 0, delta: { audio } });
    const { body, whole, deltas } = bodyOf([
      { ...head, choices: [audio({ id: "audio_1", transcript: "Hel" })] },
      { ...head, choices: [audio({ transcript: "lo" })] },
      { ...head, choices: [audio({ data: "AAAA" })] },
      { ...head, choices: [audio({ data: "BBBB" })] },
      { ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
      { ...head, choices: [audio({ expires_at: 9 })] },
    ]);
    expect(body.choices[0]?.message).toMatchObject({
      content: null,
      audio: { id: "audio_1", data: "AAAABBBB", transcript: "Hello", expires_at: 9 },
    });
    expect([whole, deltas]).toEqual([true, 4]);
  });

  test("keep what a later one does not say again", () => {
    const { id, created } = head;
    const { body } = bodyOf([
      { ...head, choices: [{ index: 0, delta: { content: "a" }, finish_reason: "stop" }] },
      { id, created, service_tier: null, choices: [] },
    ]);
    expect(body).toMatchObject(head);
  });

  test("are not whole while a choice of several is missing, unless the usage came", () => {
    const accumulator = createAccumulator();
    accumulator.add({ ...head, choices: [{ index: 0, delta: { content: "a" }, finish_reason: "stop" }] });
    expect([accumulator.isWhole(1), accumulator.isWhole(2)]).toEqual([true, false]);
    accumulator.add({ ...head, choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } });
    expect(accumulator.isWhole(2)).toBe(true);
  });

  test("are not whole while a choice has not said why it ended", () => {
    expect(bodyOf([]).whole).toBe(false);
    expect(bodyOf([{ ...head, choices: [{ index: 0, delta: { content: "a" } }] }]).whole).toBe(false);
  });
});

describe("a stream of the simulated OpenAI makes the message that it sends without streaming", async () => {
  const openai = await simulate();
  const upstream = createUpstream({
    ...{ apiKey: openai.apiKey, baseUrl: `${openai.url}/v1` },
    ...{ attemptTimeoutMs: 10_000, budgetMs: 10_000, maxAttempts: 1 },
  });
  const definition = { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } };
  const custom = { type: "custom", custom: { name: "run_code", format: { type: "text" } } };

  test.each([
    ["text", { n: 2, logprobs: true }],
    ["calls of functions and custom tools", { tools: [{ type: "function", function: definition }, custom] }],
    ["a function call", { functions: [definition] }],
    ["a call that is cut off", { tools: [custom], tool_choice: custom, max_tokens: 4 }],
  ])("of %s", async (_, changes) => {
    const params = saying("Run code to get the weather in Paris", changes) as ChatCompletionCreateParamsNonStreaming;
    const deadlineMs = Date.now() + 10_000;
    const plain = await upstream.complete(params, deadlineMs);
    const accumulator = createAccumulator();
    const { events } = await upstream.stream(params, deadlineMs);
    for await (const data of events) accumulator.add(JSON.parse(data));

    expect(withoutIds(accumulator.body())).toEqual(withoutIds(plain.body));
    expect(accumulator.deltas()).toBeGreaterThan(1);
  });
});

/** What differs between two answers to the same request; and what no stream of these says. */
const withoutIds = (body: unknown): unknown =>
  JSON.parse(
    JSON.stringify(body, (name, value) => (["id", "created", "annotations"].includes(name) ? undefined : value)),
  );
