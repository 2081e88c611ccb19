import { describe, expect, it } from "vitest";
import * as z from "zod";
import { evaluate, type OutputFormat } from "../../../packages/core/src/structured/evaluate.ts";

const text: OutputFormat = { type: "text" };
const jsonObject: OutputFormat = { type: "json_object" };
const inline: OutputFormat = {
  type: "json_schema",
  json_schema: {
    schema: {
      type: "object",
      properties: { mood: { type: "string" } },
      required: ["mood"],
      additionalProperties: false,
    },
  },
};
const registered: OutputFormat = { type: "registered", output: z.object({ mood: z.enum(["good", "bad"]) }) };

const answer = (content: unknown, format: OutputFormat, finishReason = "stop") =>
  evaluate({ message: { role: "assistant", content, refusal: null }, finishReason, format });
const failed = (path: string) => ({
  status: "failed",
  output: null,
  code: "invalid_output",
  problems: [expect.objectContaining({ path })],
});

describe("an answer that fits", () => {
  it("is parsed for each JSON format", () => {
    for (const format of [jsonObject, inline, registered]) {
      expect(answer('{"mood": "good"}', format)).toEqual({ status: "succeeded", output: { mood: "good" } });
    }
  });

  it("may stand between white space and after a byte order mark", () => {
    expect(answer('\ufeff\n {"mood": "good"}\n', inline)).toEqual({ status: "succeeded", output: { mood: "good" } });
  });

  it("has no output for text, which stands in the message", () => {
    for (const content of ["Paris.", "", null, '{"a": 1}']) {
      expect(answer(content, text)).toEqual({ status: "succeeded", output: null });
    }
  });

  it("has no output for tool calls, whatever the format and the finish reason", () => {
    const toolCalls = { content: null, tool_calls: [{ id: "call_1", type: "function" }] };
    const functionCall = { content: null, function_call: { name: "f", arguments: "{}" } };
    const none = { status: "succeeded", output: null };
    expect(evaluate({ message: toolCalls, finishReason: "tool_calls", format: inline })).toEqual(none);
    expect(evaluate({ message: toolCalls, finishReason: "stop", format: registered })).toEqual(none);
    expect(evaluate({ message: functionCall, finishReason: "function_call", format: jsonObject })).toEqual(none);
  });

  it("may be any JSON when the schema is left out", () => {
    expect(answer("[1]", { type: "json_schema", json_schema: {} })).toEqual({ status: "succeeded", output: [1] });
  });
});

describe("an answer that OpenAI stopped or refused", () => {
  it("is filtered before it is anything else", () => {
    const message = { content: "{", refusal: "No." };
    expect(evaluate({ message, finishReason: "content_filter", format: inline })).toEqual({
      status: "filtered",
      output: null,
    });
    expect(evaluate({ message: undefined, finishReason: "content_filter", format: text }).status).toBe("filtered");
  });

  it("is refused before it is truncated, in text too", () => {
    const message = { content: null, refusal: "I can't help with that." };
    for (const format of [text, inline]) {
      expect(evaluate({ message, finishReason: "length", format })).toEqual({ status: "refused", output: null });
    }
  });

  it("is truncated even where its content happens to parse, or a tool call was begun", () => {
    expect(answer('{"mood": "good"}', inline, "length")).toEqual({ status: "truncated", output: null });
    const message = { content: null, tool_calls: [{ id: "call_1" }] };
    expect(evaluate({ message, finishReason: "length", format: text }).status).toBe("truncated");
  });
});

describe("an answer that does not fit", () => {
  it("is named with the path in the output", () => {
    expect(answer('{"mood": 1}', inline)).toEqual(failed("mood"));
    expect(answer('{"mood": "great"}', registered)).toEqual(failed("mood"));
  });

  it("is no JSON, empty or missing", () => {
    for (const format of [jsonObject, inline, registered]) {
      for (const content of ["Sure! Here it is", '{"mood": ', "", "  \ufeff", null, undefined, ["parts"]]) {
        expect(answer(content, format)).toEqual(failed(""));
      }
    }
  });

  it("is JSON but no object where json_object was asked for", () => {
    for (const content of ["[]", "1", "null", '"x"']) expect(answer(content, jsonObject)).toEqual(failed(""));
  });

  it("nests deeper than anything could store, which must not lose what was paid for", () => {
    const nested = (levels: number) => `{"a": ${"[".repeat(levels)}${"]".repeat(levels)}}`;
    expect(answer(nested(90), jsonObject).status).toBe("succeeded");
    expect(answer(nested(100_000), jsonObject)).toEqual(failed(""));
  });

  it("came without choices", () => {
    for (const message of [undefined, null, "text", []]) {
      expect(evaluate({ message, finishReason: undefined, format: text })).toEqual(failed(""));
    }
  });

  it("never throws, whatever a server sends", () => {
    const odd = [undefined, null, 0, "", [], {}, { content: {} }, { content: "{}", tool_calls: "x", function_call: 1 }];
    for (const message of odd) {
      for (const finishReason of [undefined, null, "stop", "length", "tool_calls", 7]) {
        for (const format of [text, jsonObject, inline, registered]) {
          expect(evaluate({ message, finishReason, format })).toHaveProperty("status");
        }
      }
    }
  });
});
