import { InlineImage } from "@tollgate/core/image/inline-image";
import { estimateUsage } from "@tollgate/core/openai/estimate";
import { expect, test } from "vitest";

const withParts = (parts: object[], changes: object = {}) =>
  ({ model: "gpt-4o", messages: [{ role: "user", content: parts }], ...changes }) as unknown as Parameters<
    typeof estimateUsage
  >[0];

const withImage = (url: unknown) => withParts([{ type: "image_url", image_url: { url } }]);

test("leaves audio out", () => {
  const audio = (data: string) => withParts([{ type: "input_audio", input_audio: { data, format: "wav" } }]);
  expect(estimateUsage(audio("A".repeat(100_000)), 5)).toEqual(estimateUsage(audio(""), 5));
});

test("tells that there is audio, in the prompt or in the answer", () => {
  const audio = { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } };
  expect(estimateUsage(withParts([audio]), 5)).toMatchObject({ hasAudio: true });
  expect(estimateUsage(withParts([], { modalities: ["text", "audio"] }), 5)).toMatchObject({ hasAudio: true });
  expect(
    estimateUsage(withParts([{ type: "text", text: "input_audio" }], { modalities: ["text"] }), 5),
  ).not.toHaveProperty("hasAudio");
});

test("reads tools and the deprecated functions alike", () => {
  const definition = { name: "f", description: "x".repeat(4_000) };
  const { promptTokens } = estimateUsage(withParts([], { functions: [definition] }), 5);
  expect(promptTokens).toBeGreaterThan(1_000);
  const tools = estimateUsage(withParts([], { tools: [definition] }), 5);
  expect(tools.promptTokens).toBe(promptTokens);
});

test("leaves images out, however they are held", () => {
  const bytes = Buffer.alloc(100_000);
  const none = estimateUsage(withImage(""), 5);
  expect(none).toMatchObject({ completionTokens: 5, totalTokens: none.promptTokens + 5 });
  expect(estimateUsage(withImage(new InlineImage(bytes, { format: "png", width: 640, height: 480 })), 5)).toEqual(none);
  expect(estimateUsage(withImage(`data:image/png;base64,${bytes.toString("base64")}`), 5)).toEqual(none);
});
