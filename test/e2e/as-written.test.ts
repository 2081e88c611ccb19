import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { type Stage, startStage } from "@tollgate/local/stage";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ErrorBody, newCaller, picture, type Result, type TestCaller } from "./client.ts";

/** An OpenAI that writes down each request, to the byte, and says `says`. */
const received: string[] = [];
let says = "Hello.";
const openai = createServer(async (request, response) => {
  const body = await text(request);
  received.push(body);
  const head = { id: `chatcmpl-${received.length}`, created: 1, model: "gpt-4o-mini" };
  const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
  if (JSON.parse(body).stream !== true) {
    const choices = [{ index: 0, message: { role: "assistant", content: says }, finish_reason: "stop" }];
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ ...head, object: "chat.completion", choices, usage }));
    return;
  }
  const chunk = { ...head, object: "chat.completion.chunk" };
  const delta = { index: 0, delta: { role: "assistant", content: says }, finish_reason: "stop" };
  response.setHeader("content-type", "text/event-stream");
  for (const event of [
    { ...chunk, choices: [delta] },
    { ...chunk, choices: [], usage },
  ])
    response.write(`data: ${JSON.stringify(event)}\n\n`);
  response.end("data: [DONE]\n\n");
});

const dir = mkdtempSync(join(tmpdir(), "tollgate-as-written-"));
let stage: Stage;
let caller: TestCaller;
beforeAll(async () => {
  await once(openai.listen(0, "127.0.0.1"), "listening");
  const baseUrl = `http://127.0.0.1:${(openai.address() as AddressInfo).port}/v1`;
  const root = resolve(import.meta.dirname, "../..");
  stage = await startStage({ root, dir, port: 0, openai: { baseUrl, apiKey: "sk-test" } });
  caller = await newCaller(stage.info);
});
afterAll(async () => {
  await stage?.stop();
  openai.closeAllConnections();
  openai.close();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
  received.length = 0;
  says = "Hello.";
});

const post = <T = Result>(path: string, body: string, headers: Record<string, string> = {}) =>
  caller.send<T>("POST", path, body, headers);

/** All that JavaScript would change: digits, ways to write a number, the order of names, white space, escapes. */
const odd = `{"2": {"const": 12345678901234567890}, "1": {"maximum": 1.0e2, "minimum":1.50}, "\\u0061": {"title": "\\/"}}`;

describe("POST /v1/chat/completions sends OpenAI", () => {
  const v1 = (members: string) => `{"model":"gpt-4o-mini" ,\n "messages": [{"role":"user","content":"Hi"}]${members}}`;

  test("the caller's request to the byte", async () => {
    const body = ` ${v1(`,"seed": 9007199254740993, "temperature":1.0, "x": ${odd}`)}\n`;
    expect((await post("/v1/chat/completions", body)).status).toBe(200);
    expect(received).toEqual([body]);
  });

  test("nothing else than it was asked, when a member stands there twice", async () => {
    const body = v1(`, "seed": 1, "messages" : [{"role":"user","content":"A","content" : "B"}]`);
    await post("/v1/chat/completions", body);
    expect(received).toEqual([`{"model":"gpt-4o-mini" ,\n "seed": 1, "messages" : [{"role":"user","content" : "B"}]}`]);
  });

  test("a stream's request with include_usage, and otherwise to the byte", async () => {
    await post("/v1/chat/completions", v1(`, "stream": true, "x": ${odd}`));
    await post("/v1/chat/completions", v1(`, "stream_options": {"include_usage": false, "y": 1} , "stream": true`));
    await post("/v1/chat/completions", v1(`, "stream_options": { "include_usage": true, "y": 1.0} , "stream": true`));
    expect(received).toEqual([
      v1(`, "stream": true, "x": ${odd},"stream_options":{"include_usage":true}`),
      v1(`, "stream_options": {"include_usage":true,"y":1} , "stream": true`),
      v1(`, "stream_options": { "include_usage": true, "y": 1.0} , "stream": true`),
    ]);
  });
});

describe("metadata", () => {
  const messages = `"messages": [{"role": "user", "content": "Hi"}]`;
  const metadata = `"metadata": {"order": "7"}`;

  // OpenAI: "The 'metadata' parameter is only allowed when 'store' is enabled."
  test.each([
    ["/v1/chat/completions", `{"model": "gpt-4o-mini", ${metadata}, ${messages}}`],
    ["/v1/chat/completions", `{"model": "gpt-4o-mini", ${messages}, "store": false, ${metadata}}`],
    ["/chat", `{${messages}, ${metadata}}`],
    ["/vision", `{"images": [{"url": "https://example.com/cat.png"}], "store": false, ${metadata}}`],
  ])("of POST %s stays here, as the result's own: %s", async (path, body) => {
    const { status, headers } = await post(path, body);
    expect(status).toBe(200);
    expect(JSON.parse(received[0] ?? "")).not.toHaveProperty("metadata");
    expect(await caller.finished(headers.get("x-tollgate-result") ?? "")).toMatchObject({ metadata: { order: "7" } });
  });

  test.each([
    ["/v1/chat/completions", `{"model": "gpt-4o-mini", ${metadata}, ${messages}, "store": true}`],
    ["/chat", `{${messages}, ${metadata}, "store": true}`],
    ["/vision", `{"images": [{"url": "https://example.com/cat.png"}], "store": true, ${metadata}}`],
  ])("of POST %s goes to OpenAI as well with store: true", async (path, body) => {
    expect((await post(path, body)).status).toBe(200);
    expect(JSON.parse(received[0] ?? "")).toMatchObject({ metadata: { order: "7" }, store: true });
  });
});

describe("schemas reach OpenAI as their caller wrote them", () => {
  const schema = `{"type": "object", "properties": ${odd}, "x-order": ["2", "1"]}`;
  const format = `{"type": "json_schema", "json_schema": {"name": "any", "schema": ${schema}}}`;
  const tools = `[ {"type": "function", "function": {"name": "f", "parameters": ${schema}}} ]`;
  const functions = `[{"name": "f", "parameters": ${schema}}]`;
  const chat = (content: string) => `{"messages": [{"role": "user", "content": "${content}"}],
    "tools": ${tools}, "functions": ${functions}, "response_format": ${format}}`;
  const expectAsWritten = (sent = "") => {
    expect(sent).toContain(`"tools":${tools}`);
    expect(sent).toContain(`"functions":${functions}`);
    expect(sent).toContain(`"response_format":${format}`);
    expect(() => JSON.parse(sent)).not.toThrow();
  };
  beforeEach(() => {
    says = '{"x": 1}';
  });

  test("from POST /chat, at once and in a stream", async () => {
    expect((await post("/chat", chat("Hi"))).body).toMatchObject({ status: "succeeded", output: { x: 1 } });
    await post("/chat", chat("Hi").replace("{", '{"stream": true, '));
    expect(received).toHaveLength(2);
    for (const sent of received) expectAsWritten(sent);
    expect(received[1]).toContain('"stream":true,"stream_options":{"include_usage":true}');
  });

  test("from a deferred request", async () => {
    const { status, body } = await post("/chat", chat("Later"), { prefer: "respond-async" });
    expect(status).toBe(202);
    expect(await caller.finished(body.id)).toMatchObject({ status: "succeeded" });
    expectAsWritten(received[0]);
  });

  test("from POST /vision, beside an image that goes inside of the request", async () => {
    const data = (await picture("png")).toString("base64");
    const { status } = await post("/vision", `{"images": [{"data": "${data}"}], "response_format": ${format}}`);
    expect(status).toBe(200);
    expect(received[0]).toContain(`"response_format":${format}`);
    expect(received[0]).toContain(`data:image/png;base64,${data}`);
    expect(() => JSON.parse(received[0] ?? "")).not.toThrow();
  });
});

describe("a strict schema as OpenAI takes it", () => {
  const schema = {
    type: "object",
    properties: {
      phone: { type: "string", pattern: "^\\d{3}\\-\\d{4}$", minLength: 8, maxLength: 8 },
      handle: { type: "string", pattern: "^\\@[\\w-.]+$", nullable: true },
    },
    required: ["phone", "handle"],
    additionalProperties: false,
  };
  const ask = (answer: object) => {
    says = JSON.stringify(answer);
    const response_format = { type: "json_schema", json_schema: { name: "contact", strict: true, schema } };
    const messages = [{ role: "user", content: "Hi" }];
    return post<Result & ErrorBody>("/chat", JSON.stringify({ messages, response_format }));
  };

  test.each([[{ phone: "555-0199", handle: null }], [{ phone: "555-0199", handle: "@a.da" }]])(
    "fits %o",
    async (answer) => {
      expect((await ask(answer)).body).toMatchObject({ status: "succeeded", output: answer });
    },
  );

  test.each([
    [{ phone: "5550199", handle: null }, /phone/],
    [{ phone: null, handle: null }, /phone/],
    [{ phone: "555-0199", handle: "ada" }, /handle/],
  ])("does not fit %o", async (answer, message) => {
    const { status, body } = await ask(answer);
    expect(status).toBe(502);
    expect(body.error).toMatchObject({ code: "invalid_output", message: expect.stringMatching(message) });
  });
});

describe("an output", () => {
  const output = '{"id":12345678901234567890,"share":0.12345678901234567890,"far":1e400,"plain":1.5}';
  const format = (type: string) => `"response_format": {"type": "json_schema", "json_schema": {"name": "any",
    "schema": {"type": "object", "properties": {"id": {"type": "${type}"}}, "required": ["id"]}}}`;
  const ask = (path: string, rest: string, headers?: Record<string, string>) =>
    fetch(`${stage.info.api}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${caller.apiKey}`, ...headers },
      body: `{${rest}}`,
    });
  const messages = `"messages": [{"role": "user", "content": "Hi"}]`;
  beforeEach(() => {
    says = output;
  });

  test("has the digits that the model wrote, from /chat, /vision, streams and GET /results/{id}", async () => {
    const chat = await ask("/chat", `${messages}, ${format("integer")}`);
    const id = chat.headers.get("x-tollgate-result");
    expect(await chat.text()).toContain(`"output":${output}`);
    const vision = await ask("/vision", `"images": [{"url": "https://example.com/cat.png"}], ${format("integer")}`);
    expect(await vision.text()).toContain(`"output":${output}`);
    const stream = await ask("/chat", `${messages}, "stream": true, ${format("integer")}`);
    expect(await stream.text()).toContain(`"output":${output}`);
    const headers = { authorization: `Bearer ${caller.apiKey}` };
    for (const path of [`/results/${id}`, "/results?limit=1"]) {
      expect(await (await fetch(`${stage.info.api}${path}`, { headers })).text(), path).toContain(`"output":${output}`);
    }
  });

  test("is judged by its schema all the same", async () => {
    const response = await ask("/chat", `${messages}, ${format("string")}`);
    expect(await response.json()).toMatchObject({
      error: { code: "invalid_output", message: expect.stringMatching(/id/) },
    });
  });
});

describe("an Idempotency-Key", () => {
  const v1 = (seed: string) => `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}],"x":${seed}}`;
  const chat = (properties: string, space = "") => `{${space}"messages":[{"role":"user","content":"Hi"}],
    "tools":[{"type":"function","function":{"name":"f","parameters":{"properties":${properties}}}}]}`;

  test.each([
    ["digits", "/v1/chat/completions", v1("12345678901234567890"), v1("12345678901234567891")],
    [
      "digits of a tool's schema",
      "/chat",
      chat('{"a":{"const":9007199254740993}}'),
      chat('{"a":{"const":9007199254740992}}'),
    ],
    ["the order of a schema's keys", "/chat", chat('{"2":{},"1":{}}'), chat('{"1":{},"2":{}}')],
  ])("tells requests apart that differ only in %s, and replays the same bytes", async (what, path, first, second) => {
    const headers = { "idempotency-key": what };
    expect((await post(path, first, headers)).status).toBe(200);
    expect((await post(path, first, headers)).headers.get("idempotent-replayed")).toBe("true");
    const other = await post<ErrorBody>(path, second, headers);
    expect([other.status, other.body.error.code]).toEqual([409, "idempotency_mismatch"]);
    expect(received).toHaveLength(1);
  });

  test("takes requests for the same that say the same in other bytes", async () => {
    const headers = { "idempotency-key": "the same" };
    await post("/chat", chat('{"a":{"const":1}}'), headers);
    const again = await post("/chat", chat('{"a":{"const":1.0}}', "\n  "), headers);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
  });
});
