import { chatRequest } from "@tollgate/core/chat/schema";
import { AppError } from "@tollgate/core/error";
import { parseRequest } from "@tollgate/core/validation/request";
import { visionRequest } from "@tollgate/core/vision/schema";
import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { bodySchemaOf, validatorOf } from "../../openapi/document.ts";

const response_format = { type: "text" };

/** Rules over several fields: what breaks each, the field that the error names, and what keeps it. */
const shared: [string, object, string, object][] = [
  ["schema and response_format", { schema: "sentiment", response_format }, "schema", { response_format }],
  [
    "both limits",
    { max_tokens: 1, max_completion_tokens: 1 },
    "max_tokens",
    { max_tokens: 1, max_completion_tokens: null },
  ],
  ["top_logprobs without logprobs", { top_logprobs: 1 }, "top_logprobs", { top_logprobs: 1, logprobs: true }],
  ["top_logprobs with logprobs: false", { top_logprobs: 1, logprobs: false }, "top_logprobs", { top_logprobs: null }],
];

const json = { response_format: { type: "json_object" } };
const said = (content: unknown) => ({ ...json, messages: [{ role: "user", content }] });
const assistant = (fields: object) => ({ messages: [{ role: "assistant", ...fields }] });
const calls = { tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }] };

describe.each<[string, z.ZodType, object, [string, object, string, object][]]>([
  [
    "POST /chat",
    chatRequest,
    { messages: [{ role: "user", content: "Hello" }] },
    [
      ...shared,
      ["JSON mode without the word", json, "messages", said("Answer in json.")],
      [
        "JSON mode with the word in no text",
        said([{ type: "image_url", image_url: { url: "https://a/JSON" } }]),
        "messages",
        said([{ type: "text", text: "As Json" }]),
      ],
      ["an assistant who says nothing", assistant({}), "messages[0].content", assistant(calls)],
      [
        "an assistant who says null",
        assistant({ content: null }),
        "messages[0].content",
        assistant({ content: null, refusal: "No." }),
      ],
    ],
  ],
  [
    "POST /vision",
    visionRequest,
    { images: [{ url: "https://example.com/cat.jpg" }] },
    [
      ...shared,
      ["JSON mode without a prompt", json, "prompt", { ...json, prompt: "As JSON." }],
      ["JSON mode without the word", { ...json, prompt: "As XML." }, "prompt", { prompt: "As XML." }],
    ],
  ],
])("%s", (route, schema, base, rules) => {
  const fits = validatorOf(bodySchemaOf(route));

  test.each(rules)("refuses %s, naming the field, in the document and here", (_, broken, param, kept) => {
    expect(fits({ ...base, ...broken })).toBe(false);
    expect(() => parseRequest(schema, { ...base, ...broken })).toThrow(
      expect.objectContaining({ constructor: AppError, code: "invalid_request", param }),
    );
    expect(fits({ ...base, ...kept }), JSON.stringify(fits.errors)).toBe(true);
    expect(schema.safeParse({ ...base, ...kept }).error).toBeUndefined();
  });
});

test.each(["metadata", "logit_bias"])("%s refuses a name that JavaScript would lose", (field) => {
  const body = JSON.parse(`{"messages": [{"role": "user", "content": "Hello"}], "${field}": {"__proto__": "1"}}`);

  expect(validatorOf(bodySchemaOf("POST /chat"))(body)).toBe(false);
  expect(() => parseRequest(chatRequest, body)).toThrow(
    expect.objectContaining({ code: "invalid_request", param: `${field}.__proto__` }),
  );
});
