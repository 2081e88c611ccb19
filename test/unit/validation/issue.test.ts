import { chatRequest } from "@tollgate/core/chat/schema";
import { uploadRequest } from "@tollgate/core/upload/schema";
import { parseRequest } from "@tollgate/core/validation/request";
import { closestTo } from "@tollgate/core/validation/spelling";
import { visionRequest } from "@tollgate/core/vision/schema";
import { describe, expect, test } from "vitest";
import type * as z from "zod";

const messages = [{ role: "user", content: "Hello" }];
const images = [{ url: "https://example.com/cat.png" }];

describe("a request is refused with a sentence that says what would be right", () => {
  test.each<[z.ZodType, unknown, string | null, string]>([
    [chatRequest, {}, "messages", "messages: It is missing. Send an array."],
    [
      chatRequest,
      { message: messages },
      "messages",
      'messages: It is missing. Send an array. "message" is no field: did you mean "messages"?',
    ],
    [
      visionRequest,
      { image: images },
      "images",
      'images: It is missing. Send an array. "image" is no field: did you mean "images"?',
    ],
    [
      uploadRequest,
      { contentType: "image/png" },
      "content_type",
      'content_type: Give image/jpeg, image/png, image/webp or image/gif (not animated). "contentType" is no field: did you mean "content_type"?',
    ],
    [chatRequest, { messages, maxTokens: 5 }, "maxTokens", 'maxTokens: Unknown field. Did you mean "max_tokens"?'],
    [chatRequest, { messages, temprature: 1 }, "temprature", 'temprature: Unknown field. Did you mean "temperature"?'],
    [chatRequest, { messages, colour: 1 }, "colour", "colour: Unknown field. Remove it, or check its spelling."],
    [chatRequest, { messages: "Hello" }, "messages", "messages: Send an array, not a string."],
    [chatRequest, null, null, "Send an object, not null."],
    [chatRequest, { messages, n: "2" }, "n", "n: Send a number, not a string."],
    [chatRequest, { messages, stop: 3 }, "stop", "stop: Send a string, an array or null, not a number."],
    [
      chatRequest,
      { messages: [{ role: "user" }] },
      "messages[0].content",
      "messages[0].content: It is missing. Send a string or an array.",
    ],
    [
      chatRequest,
      { messages: [{ role: "usr", content: "Hello" }] },
      "messages[0].role",
      'messages[0].role: Use "system", "developer", "user", "assistant", "tool" or "function".',
    ],
    [visionRequest, { images, detail: "most" }, "detail", 'detail: Use "low", "high", "auto" or "original".'],
  ])("%#: %j", (schema, request, param, message) => {
    expect(() => parseRequest(schema, request)).toThrow(
      expect.objectContaining({ code: "invalid_request", param, message }),
    );
  });
});

describe("a name", () => {
  const fields = ["messages", "model", "max_tokens", "n", "user"];
  test.each([
    ["message", "messages"],
    ["MESSAGES", "messages"],
    ["max-tokens", "max_tokens"],
    ["modle", "model"],
    ["m", undefined],
    ["text", undefined],
    ["x".repeat(100_000), undefined],
  ])("%j is close to %j", (name, meant) => expect(closestTo(name, fields)).toBe(meant));
});
