import OpenAI from "openai";
import { LengthFinishReasonError } from "openai/error";
import { zodResponseFormat } from "openai/helpers/zod";
import { beforeAll, describe, expect, inject, test } from "vitest";
import * as z from "zod";
import { billed, newCaller, picture, type TestCaller, unique, userMessage } from "./client.ts";

const stage = inject("stage");
let caller: TestCaller;
let client: OpenAI;
beforeAll(async () => {
  caller = await newCaller(stage);
  client = new OpenAI({ baseURL: `${stage.api}/v1`, apiKey: caller.apiKey });
});

const model = "gpt-4o-mini";
const messages = (text: string) => [{ role: "user" as const, content: `${text} ${unique()}` }];
const tools = [
  {
    type: "function" as const,
    function: {
      name: "get_weather",
      strict: true,
      parameters: {
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
        additionalProperties: false,
      },
    },
  },
];

describe("OpenAI's own client, with only baseURL and apiKey changed,", () => {
  test("creates a completion that stands on the ledger", async () => {
    const { data, response } = await client.chat.completions
      .create({ model, messages: messages("Hello.") })
      .withResponse();
    expect(data).toMatchObject({ object: "chat.completion", model: "gpt-4o-mini-2024-07-18" });
    expect(data.choices[0]?.message.content).toBeTruthy();
    expect(response.headers.get("x-request-id")).toBeTruthy();
    const result = await caller.finished(response.headers.get("x-tollgate-result") ?? "");
    expect(result).toMatchObject({ source: "openai", status: "succeeded", openai: { id: data.id } });
    expect(result.usage).toMatchObject({ total_tokens: data.usage?.total_tokens });
    expect((await billed(stage)).get(data.id)?.usage.total_tokens).toBe(data.usage?.total_tokens);
  });

  test("parses a structured output", async () => {
    const Mood = z.object({ sentiment: z.enum(["positive", "negative"]), key_phrases: z.array(z.string()) });
    const completion = await client.chat.completions.parse({
      model,
      messages: messages("I love this wonderful product!"),
      response_format: zodResponseFormat(Mood, "mood"),
    });
    expect(completion.choices[0]?.message.parsed).toMatchObject({ sentiment: "positive" });
  });

  test("sees a refusal, and throws on an answer that was cut off, as with OpenAI", async () => {
    const response_format = zodResponseFormat(z.object({ sentiment: z.string() }), "mood");
    const refused = await client.chat.completions.parse({
      model,
      messages: messages("[[fault:refusal]]"),
      response_format,
    });
    expect(refused.choices[0]?.message).toMatchObject({ parsed: null, refusal: expect.any(String) });
    await expect(
      client.chat.completions.parse({ model, messages: messages("[[fault:length]]"), response_format }),
    ).rejects.toThrow(LengthFinishReasonError);
  });

  test("streams, with its events and its final completion", async () => {
    const stream = client.chat.completions.stream({ model, messages: messages("Tell me something nice.") });
    let text = "";
    stream.on("content", (delta) => {
      text += delta;
    });
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]?.message.content).toBe(text);
    expect(completion.usage).toBeFalsy();
  });

  test("is told the usage of a stream when it asks for it, and only then", async () => {
    const usages = [];
    for (const stream_options of [undefined, { include_usage: true }]) {
      const stream = await client.chat.completions.create({
        model,
        messages: messages("Hi."),
        stream: true,
        ...(stream_options && { stream_options }),
      });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      usages.push(chunks.filter((chunk) => chunk.usage != null).length);
      expect(chunks.some((chunk) => chunk.choices.length === 0)).toBe(stream_options !== undefined);
      expect(chunks.some((chunk) => "usage" in chunk)).toBe(stream_options !== undefined);
    }
    expect(usages).toEqual([0, 1]);
    const [last, first] = await caller.results();
    expect([last?.usage?.total_tokens, first?.usage?.total_tokens]).toEqual([expect.any(Number), expect.any(Number)]);
  });

  test("runs tools", async () => {
    const asked: string[] = [];
    const runner = client.chat.completions.runTools({
      model,
      messages: messages("get_weather in Oslo"),
      tool_choice: { type: "function", function: { name: "get_weather" } },
      tools: [
        {
          type: "function",
          function: {
            name: "get_weather",
            parse: (text: string): { city: string } => JSON.parse(text),
            description: "The weather of a city",
            parameters: { type: "object", properties: { city: { type: "string" } } },
            function: ({ city }: { city: string }) => {
              asked.push(city);
              return "sunny";
            },
          },
        },
      ],
    });
    await runner.done().catch(() => {});
    expect(asked.length).toBeGreaterThan(0);
  });

  test("gets tool calls, plain and in a stream", async () => {
    const request = { model, tools, tool_choice: "required" as const };
    const plain = await client.chat.completions.create({ ...request, messages: messages("Weather in Oslo?") });
    expect(plain.choices[0]).toMatchObject({ finish_reason: "tool_calls" });
    const streamed = await client.chat.completions
      .stream({ ...request, messages: messages("Weather in Oslo?") })
      .finalChatCompletion();
    expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: "get_weather" } });
    const [stored] = await caller.results();
    expect(stored?.tool_calls).toHaveLength(1);
  });

  test("sends images", async () => {
    const url = `data:image/png;base64,${(await picture("png")).toString("base64")}`;
    const completion = await client.chat.completions.create({
      model,
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url, detail: "low" } },
          ],
        },
      ],
    });
    expect(completion.choices[0]?.message.content).toMatch(/64×48/);
  });

  test("lists the models", async () => {
    const models = await client.models.list();
    expect(models.data.map(({ id }) => id)).toContain(model);
    expect(await client.models.retrieve(model)).toMatchObject({ id: model, object: "model" });
    await expect(client.models.retrieve("gpt-99")).rejects.toThrow(OpenAI.NotFoundError);
  });

  test("lists and retrieves only the models that its key may use, with the day each ends", async () => {
    const { apiKey } = await newCaller(stage, { models: ["gpt-4o-mini", "gpt-6-luna"] });
    const limited = new OpenAI({ baseURL: `${stage.api}/v1`, apiKey, maxRetries: 0 });
    const { data } = await limited.models.list();
    expect(data.map(({ id }) => id).sort()).toEqual(["gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gpt-6-luna"]);
    expect(await limited.models.retrieve("gpt-4o-mini-2024-07-18")).toMatchObject({ shutdown_date: "2027-01-14" });
    expect(await limited.models.retrieve("gpt-6-luna")).toMatchObject({ shutdown_date: null });
    const error = await limited.models.retrieve("gpt-4o").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({
      error: {
        message: "The model `gpt-4o` does not exist or you do not have access to it.",
        type: "invalid_request_error",
        param: "model",
        code: "model_not_found",
      },
    });
  });

  test("passes on parameters that Tollgate does not know", async () => {
    // OpenAI refuses it, not we: the words are OpenAI's.
    const request = { model, messages: messages("Hi."), of_tomorrow: 1 };
    const error = await client.chat.completions.create(request).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/Unrecognized request argument supplied: of_tomorrow/),
    });
  });
});

describe("OpenAI's own client raises the class that OpenAI would", () => {
  const once = () => new OpenAI({ baseURL: `${stage.api}/v1`, apiKey: caller.apiKey, maxRetries: 0 });
  const raised = async (using: OpenAI, request: object): Promise<unknown> =>
    using.chat.completions.create({ model, ...request } as never).catch((thrown: unknown) => thrown);

  test("AuthenticationError for a wrong key", async () => {
    const wrong = new OpenAI({ baseURL: `${stage.api}/v1`, apiKey: "sk-wrong", maxRetries: 0 });
    const error = await raised(wrong, { messages: messages("Hi.") });
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(error).toMatchObject({ status: 401, code: "invalid_api_key", requestID: expect.any(String) });
  });

  test.each<[string, object, new (...args: never[]) => Error, object]>([
    [
      "an unknown model",
      { model: "gpt-99", messages: userMessage("Hi.") },
      OpenAI.NotFoundError,
      { status: 404, code: "model_not_found" },
    ],
    [
      "a model of 257 characters",
      { model: "m".repeat(257), messages: userMessage("Hi.") },
      OpenAI.BadRequestError,
      {
        status: 400,
        code: "invalid_request",
        type: "invalid_request_error",
        param: "model",
        message: expect.stringMatching(/1 to 256 printable ASCII/),
      },
    ],
    [
      "a temperature of 3",
      { messages: userMessage("Hi."), temperature: 3 },
      OpenAI.BadRequestError,
      { status: 400, param: "temperature" },
    ],
    ["no messages", { messages: [] }, OpenAI.BadRequestError, { status: 400, param: "messages" }],
    ["422", { messages: userMessage("[[fault:422]]") }, OpenAI.UnprocessableEntityError, { status: 422 }],
    [
      "a rate limit",
      { messages: userMessage("[[fault:429 retry_after=600]]") },
      OpenAI.RateLimitError,
      { status: 429, code: "rate_limit_exceeded" },
    ],
    ["500", { messages: userMessage("[[fault:500]]") }, OpenAI.InternalServerError, { status: 500 }],
    [
      "no quota",
      { messages: userMessage("[[fault:insufficient_quota]]") },
      OpenAI.RateLimitError,
      { status: 429, code: "insufficient_quota" },
    ],
  ])("for %s", async (_, request, expected, fields) => {
    const error = await raised(once(), request);
    expect(error).toBeInstanceOf(expected);
    expect(error).toMatchObject(fields);
  });
});
