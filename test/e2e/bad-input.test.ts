import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { billed, type ErrorBody, eventually, newCaller, type TestCaller, unique, userMessage } from "./client.ts";

const stage = inject("stage");
let caller: TestCaller;
beforeAll(async () => {
  caller = await newCaller(stage);
});

const messages = userMessage("Hello");
const strict = (schema: object) => ({
  messages,
  response_format: { type: "json_schema", json_schema: { name: "sentiment_analysis", strict: true, schema } },
});

const loose = (schema: object, flag: boolean | null = false) => ({
  messages,
  response_format: { type: "json_schema", json_schema: { name: "mood", strict: flag, schema } },
});

/** The example of the user's own reference, whose `required` leaves out a property. */
const referenceSchema = {
  type: "object",
  properties: {
    sentiment: { type: "string" },
    confidence: { type: "number" },
    key_phrases: { type: "array", items: { type: "string" } },
  },
  required: ["sentiment", "confidence"],
  additionalProperties: false,
};

describe("POST /chat refuses, names the field, and stores and bills nothing", () => {
  test.each<[string, unknown, string, string, string | null, RegExp]>([
    ["JSON that is not JSON", "{messages: hello}", "invalid_request", "400", null, /not valid JSON/],
    ["an empty body", "", "invalid_request", "400", null, /empty/],
    ["a list", "[]", "invalid_request", "400", null, /object/],
    ["no messages", {}, "invalid_request", "400", "messages", /messages/],
    [
      "message for messages",
      { message: messages },
      "invalid_request",
      "400",
      "messages",
      /missing.*did you mean "messages"/,
    ],
    ["empty messages", { messages: [] }, "invalid_request", "400", "messages", /at least one/],
    [
      "an unknown role",
      { messages: [{ role: "robot", content: "x" }] },
      "invalid_request",
      "400",
      "messages[0].role",
      /user/,
    ],
    [
      "a content that is a number",
      { messages: [{ role: "user", content: 7 }] },
      "invalid_request",
      "400",
      "messages[0].content",
      /string/,
    ],
    [
      "a part of an unknown type",
      { messages: [{ role: "user", content: [{ type: "video" }] }] },
      "invalid_request",
      "400",
      "messages[0].content[0].type",
      /image_url/,
    ],
    ["an unknown field", { messages, temprature: 1 }, "invalid_request", "400", "temprature", /unknown field/i],
    ["a temperature of 2.1", { messages, temperature: 2.1 }, "invalid_request", "400", "temperature", /2/],
    ["a temperature of -0.1", { messages, temperature: -0.1 }, "invalid_request", "400", "temperature", /0/],
    ["a top_p of 1.5", { messages, top_p: 1.5 }, "invalid_request", "400", "top_p", /1/],
    ["a presence_penalty of 3", { messages, presence_penalty: 3 }, "invalid_request", "400", "presence_penalty", /2/],
    ["n of 0", { messages, n: 0 }, "invalid_request", "400", "n", /1/],
    ["n of 129", { messages, n: 129 }, "invalid_request", "400", "n", /128/],
    ["five stops", { messages, stop: ["a", "b", "c", "d", "e"] }, "invalid_request", "400", "stop", /4/],
    ["max_tokens of 0", { messages, max_tokens: 0 }, "invalid_request", "400", "max_tokens", /1/],
    [
      "both limits",
      { messages, max_tokens: 5, max_completion_tokens: 5 },
      "invalid_request",
      "400",
      "max_tokens",
      /not both/,
    ],
    [
      "a schema that is not registered",
      { messages, schema: "nope" },
      "invalid_request",
      "400",
      "schema",
      /sentiment, image_sentiment/,
    ],
    [
      "schema and response_format",
      { messages, schema: "sentiment", response_format: { type: "text" } },
      "invalid_request",
      "400",
      "schema",
      /not both/,
    ],
    [
      "json_object without the word",
      { messages, response_format: { type: "json_object" } },
      "invalid_request",
      "400",
      "messages",
      /JSON/,
    ],
    [
      "the reference's own schema",
      strict(referenceSchema),
      "invalid_schema",
      "400",
      "response_format.json_schema.schema.properties.key_phrases",
      /key_phrases.*required/,
    ],
    [
      "a schema that is open",
      strict({ type: "object", properties: {}, required: [] }),
      "invalid_schema",
      "400",
      "response_format.json_schema.schema.additionalProperties",
      /additionalProperties/,
    ],
    [
      "an array as root",
      strict({ type: "array", items: { type: "string" } }),
      "invalid_schema",
      "400",
      "response_format.json_schema.schema.type",
      /object/,
    ],
    [
      "oneOf",
      strict({
        type: "object",
        properties: { a: { oneOf: [{ type: "string" }] } },
        required: ["a"],
        additionalProperties: false,
      }),
      "invalid_schema",
      "400",
      "response_format.json_schema.schema.properties.a",
      /anyOf/,
    ],
    [
      "lookaround in a strict schema's pattern",
      strict({
        type: "object",
        properties: { a: { type: "string", pattern: "^(?!b).*$" } },
        required: ["a"],
        additionalProperties: false,
      }),
      "invalid_schema",
      "400",
      "response_format.json_schema.schema.properties.a.pattern",
      /lookaround/,
    ],
    ...[false, null].map((flag): [string, unknown, string, string, string, RegExp] => [
      `a broken pattern in a schema with strict: ${flag}`,
      loose({ type: "object", properties: { a: { type: "string", pattern: "(" } } }, flag),
      "invalid_schema",
      "400",
      "response_format.json_schema.schema.properties.a.pattern",
      /no regular expression.*To mend it/,
    ]),
    [
      "a $ref to nothing in a schema that is not strict",
      loose({ type: "object", properties: { a: { $ref: "#/$defs/b" } } }),
      "invalid_schema",
      "400",
      "response_format.json_schema.schema.properties.a.$ref",
      /Nothing stands at #\/\$defs\/b.*To mend it/,
    ],
    [
      "tool_choice without tools",
      { messages, tool_choice: "required" },
      "upstream_rejected",
      "400",
      "tool_choice",
      /tools/,
    ],
    [
      "a model of 257 characters",
      { messages, model: "m".repeat(257) },
      "invalid_request",
      "400",
      "model",
      /1 to 256 printable ASCII/,
    ],
    ["a model of emoji", { messages, model: "😀" }, "invalid_request", "400", "model", /1 to 256 printable ASCII/],
    ["an unknown model", { messages, model: "gpt-99" }, "model_not_found", "404", "model", /gpt-99/],
    [
      "metadata with 17 pairs",
      { messages, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, "v"])) },
      "invalid_request",
      "400",
      "metadata",
      /16/,
    ],
    [
      "a text file as a data: URL",
      {
        messages: [
          { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,SGVsbG8=" } }] },
        ],
      },
      "invalid_image",
      "400",
      "messages[0].content[0].image_url.url",
      /PNG, JPEG, WebP/,
    ],
  ])("%s", async (_, body, code, status, param, message) => {
    const owner = await newCaller(stage);
    const before = (await billed(stage)).size;
    const answer = await owner.send<ErrorBody>("POST", "/chat", body);
    expect(answer.body.error).toMatchObject({
      code,
      param,
      type: "invalid_request_error",
      message: expect.stringMatching(message),
    });
    expect(String(answer.status)).toBe(status);
    expect(answer.headers.get("x-request-id")).toBeTruthy();
    expect(await owner.results()).toEqual([]);
    expect((await owner.usage()).requests).toBe(0);
    expect((await billed(stage)).size).toBe(before);
  });

  test.each([0, 2])("but takes a temperature at its limit, %d", async (temperature) => {
    expect((await caller.send("POST", "/chat", { messages, temperature })).status).toBe(200);
  });

  test("and an Idempotency-Key of 256 characters", async () => {
    const { status, body } = await caller.send<ErrorBody>(
      "POST",
      "/chat",
      { messages },
      { "idempotency-key": "k".repeat(256) },
    );
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: "invalid_request", param: "Idempotency-Key" });
    expect((await caller.send("POST", "/chat", { messages }, { "idempotency-key": "k".repeat(255) })).status).toBe(200);
  });
});

test.each(["/chat", "/vision", "/uploads", "/v1/chat/completions"])(
  "POST %s refuses a body that nests too deeply to be written out again, and asks OpenAI nothing",
  async (path) => {
    const owner = await newCaller(stage);
    const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
    const request = (levels: number) => `{"model":"gpt-4o-mini","messages":[],"deep":${nested(levels)}}`;
    for (const levels of [101, 20_000]) {
      const { status, body } = await owner.send<ErrorBody>("POST", path, request(levels));
      expect(status).toBe(400);
      expect(body.error).toMatchObject({
        code: "invalid_request",
        param: "deep",
        message: expect.stringMatching(/100 levels/),
      });
    }
    const { body } = await owner.send<ErrorBody>("POST", path, request(100));
    expect(body.error.message).not.toMatch(/levels/);
    expect(await owner.results()).toEqual([]);
    expect(await owner.usage()).toMatchObject({ requests: 0, unaccounted_attempts: 0 });
  },
);

describe("the API answers in OpenAI's shape, with a request id,", () => {
  const raw = (path: string, init: RequestInit) => fetch(`${stage.api}${path}`, init);

  async function expectError(response: Response, status: number, code: string, message: RegExp) {
    expect(response.headers.get("x-request-id")).toBeTruthy();
    const { error } = (await response.json()) as ErrorBody;
    expect(error).toMatchObject({ code, type: expect.any(String), message: expect.stringMatching(message) });
    expect(response.status).toBe(status);
  }

  test.each<[string, Record<string, string>]>([
    ["no key", {}],
    ["a key that is none", { authorization: "Bearer nonsense" }],
    ["an unknown key", { authorization: `Bearer tg-${"A".repeat(43)}` }],
    ["a key of another scheme", { authorization: `Basic ${Buffer.from("a:b").toString("base64")}` }],
  ])("to %s: 401", async (_, headers) => {
    const response = await raw("/chat", { method: "POST", headers, body: JSON.stringify({ messages }) });
    await expectError(response, 401, "invalid_api_key", /Bearer/);
  });

  test.each([
    ["POST", "/v1/embeddings", /No such route: POST \/v1\/embeddings\. See GET \/openapi\.json/],
    ["POST", "/v1/responses", /No such route: POST \/v1\/responses\./],
    ["GET", "/results/res_1/parts", /No such route/],
    ["DELETE", "/chat", /No such route/],
    ["GET", "/", /No such route/],
  ])(
    "to %s %s, which is no route: 404 with a key, with one that is none, and without",
    async (method, path, message) => {
      for (const headers of [{ authorization: `Bearer ${caller.apiKey}` }, { authorization: "nonsense" }, {}])
        await expectError(await raw(path, { method, headers }), 404, "not_found", message);
    },
  );

  test("to a path that is long: 404, with its beginning", async () => {
    await expectError(await raw(`/${"x".repeat(5_000)}`, {}), 404, "not_found", /No such route: GET \/x{200}…\./);
  });

  test.each([7, 11])("to a body of %d MB: 413, naming POST /uploads", async (megabytes) => {
    const body = JSON.stringify({ messages: userMessage("x".repeat(megabytes * 1024 * 1024)) });
    const response = await raw("/chat", {
      method: "POST",
      headers: { authorization: `Bearer ${caller.apiKey}` },
      body,
    });
    await expectError(response, 413, "payload_too_large", /\/uploads/);
  });

  test("to headers of more than 10,240 bytes: 431", async () => {
    const headers = { authorization: `Bearer ${caller.apiKey}`, "x-large": "x".repeat(10_240) };
    await expectError(await raw("/health", { headers }), 431, "invalid_request", /header/i);
  });
});

test.each(["", "[[fault:401]]", "[[fault:500]]", "[[fault:400]]", "[[fault:malformed]]", "[[fault:off_schema]]"])(
  "no error and no log holds a prompt or a key: %s",
  async (fault) => {
    const secret = unique();
    const request = { schema: "sentiment", messages: userMessage(`${fault} ${secret}`) };
    const { headers, body } = await caller.send<Partial<ErrorBody>>("POST", "/chat", request);
    const requestId = headers.get("x-request-id") ?? "";
    const log = await eventually(async () => {
      const lines = readFileSync(inject("log"), "utf8");
      return lines.includes(requestId) ? lines : null;
    });
    for (const hidden of [secret, caller.apiKey, "sk-local"]) {
      expect(log).not.toContain(hidden);
      expect(JSON.stringify(body.error ?? null)).not.toContain(hidden);
    }
  },
);
