import { describe, expect, it } from "vitest";
import * as z from "zod";
import { choiceIn, saying, simulate, wire } from "./simulation.ts";

const openai = await simulate();
const Weather = z.object({ location: z.string(), unit: z.enum(["celsius", "fahrenheit"]) });
const fn = (name: string, schema: z.ZodType = Weather) => ({
  type: "function",
  function: { name, strict: true, parameters: z.toJSONSchema(schema) },
});
const tools = [fn("get_weather"), fn("get_time", z.object({ city: z.string() }))];

async function choiceOf(content: string, changes: Record<string, unknown> = {}) {
  const choice = await choiceIn(await openai.post(saying(content, { tools, ...changes })));
  return { ...choice, names: choice.calls.map((call) => call.function.name) };
}

describe("tools", () => {
  it("are called with arguments that fit, when the text names the function", async () => {
    const { message, calls, finish_reason, names } = await choiceOf("Please get the weather in Paris");
    expect(finish_reason).toBe("tool_calls");
    expect(names).toEqual(["get_weather"]);
    expect(message.content).toBeNull();
    expect(calls[0]).toMatchObject({ id: expect.stringMatching(/^call_/), type: "function" });
    expect(Weather.parse(JSON.parse(calls[0]?.function.arguments ?? "")).location).toBe("Paris");
  });

  it("are left alone when the text names none, or tool_choice is none", async () => {
    expect(await choiceOf("Good morning")).toMatchObject({ finish_reason: "stop", names: [] });
    expect(await choiceOf("call get_weather", { tool_choice: "none" })).toMatchObject({
      finish_reason: "stop",
      names: [],
    });
  });

  it("are called when required or named by tool_choice", async () => {
    expect((await choiceOf("Good morning", { tool_choice: "required" })).names).toEqual(["get_weather"]);
    const named = { tool_choice: { type: "function", function: { name: "get_time" } } };
    expect((await choiceOf("Good morning", named)).names).toEqual(["get_time"]);
  });

  it("are called together, unless parallel_tool_calls is false", async () => {
    const text = "Use get_weather and get_time for Oslo";
    expect((await choiceOf(text)).names).toEqual(["get_weather", "get_time"]);
    expect((await choiceOf(text, { parallel_tool_calls: false })).names).toHaveLength(1);
  });

  it("are answered in words once their result is there", async () => {
    const call = { id: "call_1", type: "function", function: { name: "get_weather", arguments: "{}" } };
    const messages = [
      { role: "user", content: "get_weather in Paris" },
      { role: "assistant", tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content: "get_weather says sunny" },
    ];
    expect(await choiceOf("", { messages })).toMatchObject({ finish_reason: "stop", names: [] });
  });

  it("are cut off inside their arguments by max_tokens", async () => {
    const { calls, finish_reason } = await choiceOf("get_weather in Paris", { max_tokens: 5 });
    expect(finish_reason).toBe("length");
    expect(() => JSON.parse(calls[0]?.function.arguments ?? "")).toThrow(SyntaxError);
  });

  it("of one's own are called with text, in pieces when it is streamed", async () => {
    const custom = { type: "custom" as const, custom: { name: "run_code", description: "Runs code." } };
    const request = { model: "gpt-5-mini", messages: [{ role: "user" as const, content: "run_code: 6 * 7" }] };
    const plain = await openai.client.chat.completions.create({ ...request, tools: [custom], tool_choice: custom });
    const [call] = plain.choices[0]?.message.tool_calls ?? [];
    expect(call).toEqual({
      id: expect.stringMatching(/^call_/),
      type: "custom",
      custom: { name: "run_code", input: expect.stringMatching(/./) },
    });
    expect(plain.choices[0]?.finish_reason).toBe("tool_calls");
    const streamed = openai.client.chat.completions.stream({ ...request, tools: [custom] });
    const { choices } = await streamed.finalChatCompletion();
    expect(choices[0]?.message.tool_calls).toEqual([{ ...call, id: expect.any(String) }]);
    const answered = [
      ...request.messages,
      { role: "assistant", tool_calls: plain.choices[0]?.message.tool_calls },
      { role: "tool", tool_call_id: call?.id, content: "42" },
    ];
    expect(await choiceOf("", { model: "gpt-5-mini", messages: answered })).toMatchObject({ finish_reason: "stop" });
  });

  it("in the deprecated form answer with function_call", async () => {
    const functions = tools.map((tool) => tool.function);
    const [choice] = (await wire(await openai.post(saying("call get_time for Rome", { functions })))).choices;
    expect(choice).toMatchObject({ finish_reason: "function_call", message: { function_call: { name: "get_time" } } });
  });
});

describe("allowed tools", () => {
  const allowed = (mode: string, name: string) => ({
    tool_choice: { type: "allowed_tools", allowed_tools: { mode, tools: [{ type: "function", function: { name } }] } },
  });

  it("are the only ones that are called", async () => {
    expect((await choiceOf("get the weather and get the time", allowed("auto", "get_time"))).names).toEqual([
      "get_time",
    ]);
    expect((await choiceOf("get the weather", allowed("auto", "get_time"))).names).toEqual([]);
    expect((await choiceOf("Good morning", allowed("required", "get_time"))).names).toEqual(["get_time"]);
  });

  it("are refused when they are no tools of the request, or the mode is unknown", async () => {
    for (const choice of [allowed("auto", "get_rain"), allowed("none", "get_time")])
      expect((await openai.post(saying("hi", { tools, ...choice }))).status).toBe(400);
  });
});

describe("a custom tool", () => {
  const custom = (format?: object) => ({
    tools: [{ type: "custom", custom: { name: "run", format } }],
    tool_choice: "required",
  });
  const grammar = (syntax: string, definition: string) => custom({ type: "grammar", grammar: { syntax, definition } });
  async function inputOf(changes: object) {
    const { choices } = await wire(await openai.post(saying("hi", { ...changes })));
    return (choices[0]?.message.tool_calls?.[0] as { custom: { input: string } } | undefined)?.custom.input;
  }

  it("is called with text, which matches its regular expression", async () => {
    expect(await inputOf(custom({ type: "text" }))).not.toBe("");
    expect(await inputOf(grammar("regex", "^[A-Z]{2}\\-\\d{3}$"))).toMatch(/^[A-Z]{2}-\d{3}$/);
  });

  it("may have a Lark grammar", async () => {
    expect(await inputOf(grammar("lark", "start: WORD\nWORD: /[a-z]+/"))).not.toBe("");
  });

  it.each([
    ["a regular expression that is none", grammar("regex", "(")],
    ["a Lark grammar without a start", grammar("lark", "WORD: /a/")],
    ["an unknown syntax", grammar("ebnf", "a")],
    ["no definition", custom({ type: "grammar", grammar: { syntax: "regex" } })],
    ["an unknown format", custom({ type: "xml" })],
  ])("is refused for %s", async (_, changes) => {
    expect((await openai.post(saying("hi", changes))).status).toBe(400);
  });
});
