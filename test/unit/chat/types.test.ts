import { chatCall } from "@tollgate/core/chat/chat";
import { chatRequest } from "@tollgate/core/chat/schema";
import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";
import { describe, expect, test } from "vitest";
import type { InlineImage } from "../../../packages/core/src/image/inline-image.ts";

const messages: ChatCompletionCreateParams["messages"] = [{ role: "user", content: "Hello" }];
const sentBy = (request: object) => chatCall({ defaultModel: "gpt-4o-mini" }, chatRequest.parse(request)).params;

/** Each is typed as OpenAI's client types it, so that a value which its types do not have does not compile. */
const takenByTypes: [string, Partial<Omit<ChatCompletionCreateParams, "model">>][] = [
  ["stop: []", { stop: [] }],
  ["an empty stop", { stop: "" }],
  ["tools: []", { tools: [] }],
  ["functions: []", { functions: [] }],
  ["modalities: []", { modalities: [] }],
  ["tool_choice without tools", { tool_choice: "auto" }],
  ["parallel_tool_calls without tools", { parallel_tool_calls: true }],
  ["function_call without functions", { function_call: "auto" }],
  ["json_schema without schema", { response_format: { type: "json_schema", json_schema: { name: "any" } } }],
  [
    "strict json_schema without schema",
    { response_format: { type: "json_schema", json_schema: { name: "any", strict: true } } },
  ],
  ["stream_options", { stream: true, stream_options: { include_usage: true, include_obfuscation: false } }],
  ["stream_options: null", { stream_options: null }],
  ["prompt_cache_options", { prompt_cache_options: { mode: "explicit", ttl: "30m" } }],
  [
    "empty content parts",
    {
      messages: [
        { role: "system", content: [] },
        { role: "user", content: [] },
      ],
    },
  ],
  ["an assistant's tool_calls: []", { messages: [{ role: "assistant", content: "Hi", tool_calls: [] }] }],
  [
    "text parts of a tool message",
    { messages: [{ role: "tool", tool_call_id: "a", content: [{ type: "text", text: "1" }] }] },
  ],
  ...(["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const).map(
    (reasoning_effort): [string, object] => [`reasoning_effort ${reasoning_effort}`, { reasoning_effort }],
  ),
  ...(["auto", "default", "flex", "scale", "priority", "fast"] as const).map((service_tier): [string, object] => [
    `service_tier ${service_tier}`,
    { service_tier },
  ]),
];

describe("POST /chat takes what the API's types take:", () => {
  test.each(takenByTypes)("%s", (_, fields) => {
    expect(chatRequest.safeParse({ messages, ...fields }).error).toBeUndefined();
  });

  test("a name on a tool message, which is sent", () => {
    const tool = { role: "tool", tool_call_id: "a", name: "f", content: "1" };
    expect(sentBy({ messages: [tool] }).messages).toEqual([tool]);
  });
});

describe("POST /chat sends OpenAI", () => {
  test("no empty list, which OpenAI would refuse", () => {
    const assistant = { role: "assistant", content: "Hi", tool_calls: [] };
    expect(sentBy({ messages: [assistant], stop: [], tools: [], functions: [], modalities: [] })).toEqual({
      model: "gpt-4o-mini",
      messages: [{ role: "assistant", content: "Hi" }],
    });
  });

  test("stream_options only beside a stream", () => {
    const request = chatRequest.parse({
      messages,
      stream: true,
      stream_options: { include_obfuscation: false, include_usage: null },
    });
    const call = chatCall({ defaultModel: "gpt-4o-mini" }, request);
    expect(call.params).not.toHaveProperty("stream_options");
    expect(call.streamOptions).toEqual({ include_obfuscation: false });
  });
});

describe("base64 in a chat", () => {
  const bytes = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  );
  const base64 = bytes.toString("base64");
  const imageOf = (url: string) => {
    const content = [{ type: "image_url", image_url: { url, detail: "low" } }];
    const [message] = sentBy({ messages: [{ role: "user", content }] }).messages;
    return (message as unknown as { content: { image_url: { url: InlineImage; detail: string } }[] }).content[0]
      ?.image_url;
  };

  test.each<[string, string]>([
    ["line breaks", `data:image/png;base64,${base64.replace(/.{20}/g, "$&\r\n")}`],
    ["spaces", `data:image/png;base64, ${base64.replace(/.{20}/g, "$& ")}`],
    ["upper case in its type", `DATA:IMAGE/PNG;BASE64,${base64}`],
    ["the alphabet for URLs", `data:image/png;base64,${bytes.toString("base64url")}`],
    ["no padding", `data:image/png;base64,${base64.replace(/=+$/, "")}`],
    ["another type than its bytes", `data:image/jpeg;base64,${base64}`],
  ])("with %s reaches OpenAI as it should be written", (_, url) => {
    const image = imageOf(url);
    expect(image?.detail).toBe("low");
    expect(Buffer.concat([...(image?.url.url() ?? [])].map((piece) => Buffer.from(piece))).toString()).toBe(
      `data:image/png;base64,${base64}`,
    );
  });

  test("that is none is still refused", () => {
    expect(() => imageOf("data:image/png;base64,!!!!")).toThrow(/This is not base64/);
  });

  test("of audio and files is mended, too", () => {
    const content = [
      { type: "input_audio", input_audio: { data: "AA AA\r\n", format: "wav" } },
      { type: "file", file: { filename: "a.pdf", file_data: "DATA:Application/PDF;BASE64,AA\nAA" } },
      { type: "file", file: { file_id: "file-1" } },
    ];
    expect(sentBy({ messages: [{ role: "user", content }] }).messages).toEqual([
      {
        role: "user",
        content: [
          { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
          { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } },
          { type: "file", file: { file_id: "file-1" } },
        ],
      },
    ]);
  });
});
