import { zodResponseFormat } from "openai/helpers/zod";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { choiceIn, saying, simulate, wire } from "./simulation.ts";

const openai = await simulate();

async function choicesOf(body: unknown) {
  const response = await openai.post(body);
  expect(response.status).toBe(200);
  return (await wire(response)).choices;
}

async function filled(schema: Record<string, unknown>, text = "hello", strict = true) {
  const response_format = { type: "json_schema", json_schema: { name: "probe", schema, strict } };
  return JSON.parse((await choiceIn(await openai.post(saying(text, { response_format })))).content);
}

describe("a completion", () => {
  it("has OpenAI's shape and headers", async () => {
    const { data, response, request_id } = await openai.client.chat.completions
      .create({ model: "gpt-4o-mini", messages: [{ role: "user", content: "I love this product!" }] })
      .withResponse();
    expect(data).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: "chat.completion",
      model: "gpt-4o-mini-2024-07-18",
      service_tier: "default",
      system_fingerprint: expect.stringMatching(/^fp_[0-9a-f]{10}$/),
      choices: [
        {
          index: 0,
          finish_reason: "stop",
          logprobs: null,
          message: { role: "assistant", content: expect.stringContaining("positive"), refusal: null },
        },
      ],
    });
    expect(request_id).toMatch(/^req_[0-9a-f]{32}$/);
    expect(response.headers.get("openai-version")).toBe("2020-10-01");
    expect(response.headers.get("openai-processing-ms")).toMatch(/^\d+$/);
    expect(response.headers.get("x-ratelimit-limit-requests")).toBe("10000");
    expect(response.headers.get("x-ratelimit-reset-requests")).toBe("6ms");
  });

  it("is the same for the same request", async () => {
    const request = saying("The hotel was dirty", { n: 2, seed: 3 });
    expect(await choicesOf(request)).toEqual(await choicesOf(request));
  });

  it.each([
    ["gpt-4o", "gpt-4o-2024-08-06"],
    ["gpt-4o-2024-11-20", "gpt-4o-2024-11-20"],
    ["gpt-4.1-nano", "gpt-4.1-nano-2025-04-14"],
    ["gpt-6-sol", "gpt-6-sol"],
  ])("by %s names %s as its model", async (model, snapshot) => {
    expect(await wire(await openai.post(saying("hi", { model })))).toMatchObject({ model: snapshot });
  });

  it("has n choices", async () => {
    expect((await choicesOf(saying("hi", { n: 3 }))).map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it("ends before a stop sequence", async () => {
    const whole = await choiceIn(await openai.post(saying("I love it")));
    const stopped = await choiceIn(await openai.post(saying("I love it", { stop: ["positive", "nowhere"] })));
    expect(whole.content).toContain(`${stopped.content}positive`);
    expect(stopped.finish_reason).toBe("stop");
  });

  it("ends with length after max_tokens tokens", async () => {
    const response = await wire(await openai.post(saying("I love it", { max_tokens: 4 })));
    expect(response.choices[0]).toMatchObject({ finish_reason: "length", message: { content: "The text reads as" } });
    expect(response.usage.completion_tokens).toBe(4);
  });

  it("echoes the service tier", async () => {
    expect(await wire(await openai.post(saying("hi", { service_tier: "flex" })))).toMatchObject({
      service_tier: "flex",
    });
  });

  it("has the log probability of every token and its alternatives", async () => {
    const choice = await choiceIn(await openai.post(saying("hi", { logprobs: true, top_logprobs: 2 })));
    const tokens = choice.logprobs?.content ?? [];
    expect(tokens.map(({ token }) => token).join("")).toBe(choice.content);
    for (const { token, logprob, bytes, top_logprobs } of tokens) {
      expect(bytes).toEqual([...Buffer.from(token)]);
      expect(logprob).toBeLessThan(0);
      expect(top_logprobs).toHaveLength(2);
      expect(top_logprobs[0]).toEqual({ token, logprob, bytes });
    }
  });
});

describe("sentiment", () => {
  const schema = z.object({
    sentiment: z.enum(["positive", "negative", "neutral"]),
    confidence: z.number(),
    key_phrases: z.array(z.string()),
  });
  it.each([
    ["I love this product!", "positive"],
    ["The room was dirty and the staff rude.", "negative"],
    ["The train leaves at noon.", "neutral"],
    ["This is not good at all.", "negative"],
    ["It was never a problem.", "positive"],
  ])("of “%s” is %s", async (content, sentiment) => {
    const completion = await openai.client.chat.completions.parse({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content }],
      response_format: zodResponseFormat(schema, "sentiment"),
    });
    expect(completion.choices[0]?.message.parsed).toMatchObject({ sentiment });
  });

  it("comes with the text's own phrases and a confidence from 0 to 1", async () => {
    const answer = schema.parse(
      await filled(z.toJSONSchema(schema), "I love this amazing camera, but the strap is broken."),
    );
    expect(answer.key_phrases).toEqual(["love", "amazing camera", "strap", "broken"]);
    expect(answer.confidence).toBeGreaterThan(0);
    expect(answer.confidence).toBeLessThanOrEqual(1);
  });

  it("in JSON mode is a JSON object", async () => {
    const response = await openai.post(saying("I love JSON", { response_format: { type: "json_object" } }));
    expect(JSON.parse((await choiceIn(response)).content)).toMatchObject({ sentiment: "positive", word_count: 3 });
  });
});

describe("an answer to a schema", () => {
  const object = (properties: Record<string, unknown>, rest = {}) => ({
    type: "object",
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
    ...rest,
  });

  it.each<[string, Record<string, unknown>]>([
    ["const and enum", { a: { const: "x" }, b: { type: "integer", enum: [3, 5] }, c: { enum: [null] } }],
    ["a union with null", { a: { type: ["string", "null"] }, b: { anyOf: [{ type: "null" }, { type: "number" }] } }],
    [
      "numbers in bounds",
      {
        a: { type: "integer", minimum: 5, maximum: 6 },
        b: { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 0.5 },
        c: { type: "integer", multipleOf: 7, minimum: 1 },
        d: { type: "number", multipleOf: 0.1, maximum: -3 },
      },
    ],
    [
      "a list of a given length",
      {
        a: { type: "array", items: { type: "string" }, minItems: 4, maxItems: 4 },
        b: { type: "array", items: { type: "number" }, maxItems: 0 },
      },
    ],
    [
      "patterns",
      {
        a: { type: "string", pattern: "^[A-Z]{3}-\\d{4}$" },
        b: { type: "string", pattern: "^(?:red|green)+[^a-z]?\\.\\w{2,5}$" },
      },
    ],
    [
      "formats",
      Object.fromEntries(
        ["date-time", "date", "time", "duration", "email", "ipv4", "ipv6", "uuid"].map((format) => [
          format,
          { type: "string", format },
        ]),
      ),
    ],
    [
      "nested objects in lists",
      { a: { type: "array", minItems: 2, items: object({ b: object({ c: { type: "boolean" } }) }) } },
    ],
  ])("is valid for %s", async (_, properties) => {
    const schema = object(properties);
    const validator = z.fromJSONSchema(JSON.parse(JSON.stringify(schema)));
    expect(validator.safeParse(await filled(schema)).error).toBeUndefined();
  });

  it("ends a recursion with null or an empty list", async () => {
    const chain = object({ value: { type: "string" }, next: { anyOf: [{ $ref: "#" }, { type: "null" }] } });
    const tree = object(
      { root: { $ref: "#/$defs/node" } },
      { $defs: { node: object({ children: { type: "array", items: { $ref: "#/$defs/node" } } }) } },
    );
    expect(JSON.stringify(await filled(chain))).toMatch(/"next":null}+$/);
    expect(JSON.stringify(await filled(tree))).toMatch(/"children":\[\]/);
  });

  it("fits schemas that are not strict, with minLength and oneOf", async () => {
    const schema = {
      type: "object",
      properties: { a: { type: "string", minLength: 200 }, b: { oneOf: [{ type: "boolean" }] } },
    };
    expect(await filled(schema, "hi", false)).toEqual({
      a: expect.stringMatching(/^.{200,}$/),
      b: expect.any(Boolean),
    });
  });

  it("takes an enum's value that the text mentions", async () => {
    const schema = object({ topic: { type: "string", enum: ["billing", "delivery", "returns"] } });
    expect(await filled(schema, "My delivery is late")).toEqual({ topic: "delivery" });
  });
});
