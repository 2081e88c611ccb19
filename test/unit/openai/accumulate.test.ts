import { createAccumulator } from "@tollgate/core/openai/accumulate";
import { describe, expect, test } from "vitest";

type Chunk = Parameters<ReturnType<typeof createAccumulator>["add"]>[0];
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

  test("are not whole while a choice has not said why it ended", () => {
    expect(bodyOf([]).whole).toBe(false);
    expect(bodyOf([{ ...head, choices: [{ index: 0, delta: { content: "a" } }] }]).whole).toBe(false);
  });
});
