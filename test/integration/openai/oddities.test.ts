import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { perform } from "@tollgate/core/completion/run";
import { performStream, type StreamEvent } from "@tollgate/core/completion/stream";
import type { AppError } from "@tollgate/core/error";
import type { Upstream } from "@tollgate/core/openai/client";
import { UpstreamFailure } from "@tollgate/core/openai/retry";
import { presentResult } from "@tollgate/core/result/result";
import { describe, expect, test } from "vitest";
import { jobOf, startAccount } from "../budget/account.ts";
import { countersOf, problemsOf } from "../result/ledger.ts";
import {
  type Answer,
  chunk,
  finish,
  hello,
  sendJson,
  sendStream,
  serveAnswers,
  streamOf,
  usage,
  usageChunk,
} from "./upstream.ts";

const { deps } = await startAccount();
const params = { model: "gpt-4o-mini", messages: [{ role: "user" as const, content: "Hello" }] };
let owners = 0;

/** Streams one chat from a server that answers like this, on the books. */
async function streamFrom(answer: Answer, { attempts = 1, changes = {} } = {}) {
  const server = await serveAnswers({ odd: answer });
  owners += 1;
  const owner = `stream-${owners}`;
  const job = {
    ...jobOf("key", 0),
    ...{ key: null, owner },
    prepare: () => ({ params: { ...params, ...changes }, format: { type: "text" as const } }),
  };
  const upstream = server.upstream("odd", attempts);
  const events: StreamEvent[] = [];
  const performed = await performStream({ ...deps, upstream }, job).catch((error: AppError) => error);
  if (performed instanceof Error) return { error: performed, events, counters: await countersOf(deps, owner), server };
  for await (const event of performed.events) events.push(event);
  const last = events.at(-1);
  return {
    events,
    server,
    result: last?.type === "result" ? presentResult(last.performed.result) : null,
    error: last?.type === "error" ? last.error : null,
    counters: await countersOf(deps, owner),
  };
}

async function completeFrom(answer: Answer, { model = "gpt-4o-mini", attempts = 1 } = {}) {
  const server = await serveAnswers({ odd: answer });
  owners += 1;
  const owner = `whole-${owners}`;
  const job = { ...jobOf("key", 0), key: null, owner, model };
  const performed = await perform({ ...deps, upstream: server.upstream("odd", attempts) }, job).catch(
    (error: AppError) => error,
  );
  return {
    server,
    result: performed instanceof Error ? null : presentResult(performed.result),
    error: performed instanceof Error ? performed : null,
    counters: await countersOf(deps, owner),
  };
}

const exact = { content: "Hello", status: "succeeded", usage: { prompt_tokens: 11, completion_tokens: 2 } };
const settled = { requests: 1, failed: 0, total_tokens: 13, unpriced_requests: 0, estimated_requests: 0 };
const nothing = { total_tokens: 0, unaccounted_attempts: 0, estimated_requests: 0, cost_usd: "0.000000000" };

describe("a stream is settled by its usage when it has", () => {
  const whole = [...hello, finish, usageChunk];
  test.each<[string, string]>([
    ["an empty data line", streamOf(whole, { before: "data:\n\ndata: \n\n" })],
    ["comments between its events", streamOf(whole, { before: ": OPENROUTER PROCESSING\n\n:\n\n" })],
    ["no space after data:", streamOf(whole).replaceAll("data: ", "data:")],
    ["CRLF at the end of its lines", streamOf(whole).replaceAll("\n", "\r\n")],
    ["a name for its events", streamOf(whole).replaceAll("data: ", "event: message\ndata: ")],
    ["heartbeats that are no JSON", streamOf(whole, { before: "event: ping\ndata: still here\n\n" })],
    ["no [DONE]", streamOf(whole, { end: "" })],
    ["no empty line after its last event", streamOf(whole, { end: "" }).trimEnd()],
    ["white space around [DONE]", streamOf(whole, { end: "data:  [DONE] \n\n" })],
    ["its usage beside a choice", streamOf([...hello, { ...finish, usage }])],
    [
      "a usage in every chunk, of which the last counts",
      streamOf(whole.map((one, n) => ({ ...one, usage: n < 4 ? { ...usage, completion_tokens: 1 } : usage }))),
    ],
    ["null for its usage at first", streamOf(whole.map((one) => ({ usage: null, ...one })))],
    [
      "a usage of zeros at its end",
      streamOf([...whole, { ...usageChunk, usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } }]),
    ],
    ["null after its usage", streamOf([...whole, { ...usageChunk, usage: null }])],
    [
      "a last chunk that names nothing",
      streamOf([...hello, finish, { ...usageChunk, id: "", model: "", created: 0, service_tier: null }]),
    ],
    ["chunks without choices, or with null", streamOf([{ ...usageChunk, usage: null, choices: null }, ...whole])],
  ])("%s", async (_, body) => {
    const { result, counters } = await streamFrom((response) => sendStream(response, body));
    expect(result).toMatchObject({ ...exact, model: "gpt-4o-mini", openai: { id: "chatcmpl-1" } });
    expect(result?.cost?.priced).toBe(true);
    expect(result?.usage).not.toHaveProperty("estimated");
    expect(counters).toMatchObject(settled);
  });

  test("bytes that end inside a character or a line", async () => {
    const body = Buffer.from(streamOf([chunk({ content: "é漢🎉" }), finish, usageChunk]).replaceAll("\n", "\r\n"));
    const { result } = await streamFrom(async (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const byte of body) response.write(Buffer.of(byte));
      response.end();
    });
    expect(result).toMatchObject({ content: "é漢🎉", status: "succeeded" });
  });
});

test("a stream without [DONE] and with a choice missing has broken off", async () => {
  const body = streamOf([...hello, finish], { end: "" });
  const { error, counters } = await streamFrom((response) => sendStream(response, body), { changes: { n: 2 } });
  expect(error).toMatchObject({ code: "upstream_error" });
  expect(counters).toMatchObject({ estimated_requests: 1 });
});

describe("a server that answers a stream with one JSON body", () => {
  const tool_calls = [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }];
  const message = { role: "assistant", content: "Hello", tool_calls, reasoning: "Greet." };
  const body = { id: "x", model: "gpt-4o-mini", choices: [{ index: 0, message, finish_reason: "stop" }], usage };

  test("becomes a stream of chunks, settled by its usage", async () => {
    const { events, result, counters } = await streamFrom((response) => sendJson(response, body));
    const chunks = events.flatMap((event) => (event.type === "chunk" ? [JSON.parse(event.data)] : []));
    expect(chunks[0]).toMatchObject({ object: "chat.completion.chunk", usage: null });
    expect(chunks[0].choices[0].delta).toEqual({ ...message, tool_calls: [{ index: 0, ...tool_calls[0] }] });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage });
    expect(result).toMatchObject({ ...exact, tool_calls, reasoning: "Greet." });
    expect(counters).toMatchObject(settled);
  });

  test("is retried when that is an error which passes", async () => {
    const { result, server } = await streamFrom(
      (response, _, nth) => sendJson(response, nth === 1 ? { error: { code: 503, message: "Busy" } } : body),
      { attempts: 2 },
    );
    expect([result?.status, server.count("odd")]).toEqual(["succeeded", 2]);
  });
});

describe("fields that we do not know", () => {
  const annotations = [{ type: "url_citation" }, { type: "url_citation", n: 2 }];

  test("of a stream are put together, stored and shown", async () => {
    const deltas = [
      { reasoning_content: "Let me ", annotations: annotations.slice(0, 1), mood: { level: 1 }, status: "odd" },
      { reasoning_content: "think.", annotations: annotations.slice(1), mood: { level: 2 } },
      { reasoning_content: "", annotations: [], mood: null },
    ];
    const body = streamOf([...deltas.map((delta) => chunk(delta)), ...hello, finish, usageChunk]);
    const { result } = await streamFrom((response) => sendStream(response, body));
    // Never in place of a name of ours.
    expect(result).toMatchObject({ ...exact, reasoning_content: "Let me think.", annotations, mood: { level: 2 } });
  });

  test("of a whole answer are shown, in each choice", async () => {
    const choice = (index: number) => ({
      index,
      message: { role: "assistant", content: "Hello", reasoning: `r${index}`, cost: 7 },
      finish_reason: "stop",
    });
    const { result } = await completeFrom((response) =>
      sendJson(response, { model: "gpt-4o-mini", choices: [choice(0), choice(1)], usage }),
    );
    expect(result).toMatchObject({ reasoning: "r0", choices: [{ reasoning: "r0" }, { reasoning: "r1" }] });
    expect(result?.cost).toMatchObject({ priced: true });
  });
});

describe("a compressed body", () => {
  const encodings: [string, (text: string) => Buffer][] = [
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
    ["gzip, br", (text) => brotliCompressSync(gzipSync(text))],
    ["identity", Buffer.from],
  ];

  test.each(encodings)("(%s) is decoded, whole and streamed", async (encoding, compress) => {
    const answer = {
      model: "gpt-4o-mini",
      choices: [{ index: 0, message: { content: "Hello" }, finish_reason: "stop" }],
      usage,
    };
    const send =
      (text: string): Answer =>
      (response) =>
        void response.writeHead(200, { "content-encoding": encoding }).end(compress(text));
    expect((await completeFrom(send(JSON.stringify(answer)))).result).toMatchObject(exact);
    expect((await streamFrom(send(streamOf([...hello, finish, usageChunk])))).result).toMatchObject(exact);
  });

  test("is not asked for", async () => {
    let asked: unknown;
    await completeFrom((response, request) => {
      asked = request.headers["accept-encoding"];
      sendJson(response, {});
    });
    expect(asked).toBe("identity");
  });

  test("that cannot be decoded is an error", async () => {
    const { error } = await completeFrom((response) =>
      response.writeHead(200, { "content-encoding": "snappy" }).end("?"),
    );
    expect(error).toMatchObject({ code: "upstream_error" });
  });
});

type Told = [string, object, object];
const errors: Told[] = [
  [
    "OpenAI's",
    { error: { message: "Slow down.", type: "requests", param: null, code: "rate_limit_exceeded" } },
    { code: "rate_limited", openai: { status: 429, error: { code: "rate_limit_exceeded", message: "Slow down." } } },
  ],
  [
    "OpenAI's for no quota",
    { error: { message: "No.", type: "insufficient_quota", code: "insufficient_quota" } },
    { code: "upstream_quota", openai: { status: 429, error: { code: "insufficient_quota" } } },
  ],
  [
    "OpenRouter's, whose code is a number",
    { error: { code: 429, message: "Limit", metadata: { provider_name: "x" } } },
    { code: "rate_limited", openai: { status: 429, error: { code: "429", metadata: { provider_name: "x" } } } },
  ],
  [
    "OpenRouter's beside a choice",
    { choices: [{ index: 0, error: { code: 502, message: "Bad" }, message: { content: "" }, finish_reason: "error" }] },
    { code: "upstream_error", openai: { status: 502 } },
  ],
  [
    "Azure's content filter",
    { error: { message: "Filtered.", param: "prompt", code: "content_filter", status: 400, innererror: { x: 1 } } },
    { code: "upstream_rejected", message: "Filtered.", param: "prompt" },
  ],
  ["Azure API Management's", { statusCode: 429, message: "Rate limit is exceeded." }, { code: "rate_limited" }],
  [
    "vLLM's",
    { object: "error", message: "The model `x` does not exist.", type: "NotFoundError", param: null, code: 404 },
    { code: "model_not_found", param: "model" },
  ],
  [
    "Ollama's",
    { error: "unexpected EOF" },
    { code: "upstream_error", openai: { error: { message: "unexpected EOF" } } },
  ],
  [
    "a nested one",
    { error: { error: { message: "Your key is wrong", code: "invalid_api_key" } } },
    { code: "upstream_auth" },
  ],
  [
    "Google's, in an array",
    [{ error: { code: 503, message: "Overloaded", status: "UNAVAILABLE" } }],
    { code: "upstream_error" },
  ],
];

describe("an error inside a 200", () => {
  test.each(errors)("(%s) is mapped as with its status, and costs nothing", async (_, body, expected) => {
    const whole = await completeFrom((response) => sendJson(response, body));
    expect(whole.error).toMatchObject(expected);
    expect(whole.counters).toMatchObject(nothing);
    const streamed = await streamFrom((response) =>
      sendStream(response, streamOf([chunk({ role: "assistant", content: "" }), body])),
    );
    expect(streamed.error).toMatchObject(expected);
    expect(streamed.counters).toMatchObject(nothing);
  });

  test("(an event: error, as JSON or as text) is mapped, too", async () => {
    for (const data of ['{"message":"Busy","code":503}', "Busy"]) {
      const { error, counters } = await streamFrom((response) =>
        sendStream(response, `event: error\ndata: ${data}\n\n`),
      );
      expect(error).toMatchObject({ code: "upstream_error", openai: { error: { message: "Busy" } } });
      expect(counters).toMatchObject(nothing);
    }
  });

  test("is retried before a stream has sent a token, when it passes", async () => {
    const { result, server, counters } = await streamFrom(
      (response, _, nth) =>
        sendStream(
          response,
          nth < 3
            ? streamOf([chunk({ role: "assistant" }), { error: { code: "server_error", message: "Oops" } }])
            : streamOf([...hello, finish, usageChunk]),
        ),
      { attempts: 3 },
    );
    expect([result?.status, result?.openai?.attempts, server.count("odd")]).toEqual(["succeeded", 3, 3]);
    expect(counters).toMatchObject({ ...settled, unaccounted_attempts: 0 });
  });

  test("is not retried when it does not pass", async () => {
    const { server } = await streamFrom(
      (response) => sendStream(response, streamOf([{ error: { code: "invalid_prompt", message: "No" } }])),
      { attempts: 3 },
    );
    expect(server.count("odd")).toBe(1);
  });

  test("after some tokens is an estimate, with the error's own code and words", async () => {
    const { events, error, counters } = await streamFrom((response) =>
      sendStream(response, streamOf([...hello, { error: { code: 429, message: "Too many tokens" } }])),
    );
    expect(events.filter(({ type }) => type === "chunk")).toHaveLength(3);
    expect(error).toMatchObject({ code: "rate_limited", openai: { error: { message: "Too many tokens" } } });
    expect(counters).toMatchObject({ requests: 1, failed: 1, estimated_requests: 1, unaccounted_attempts: 0 });
  });

  test("beside an answer that was counted is settled with its usage", async () => {
    const choices = [
      { index: 0, message: { content: "Hel" }, error: { code: 502, message: "Lost" }, finish_reason: "error" },
    ];
    const { error, counters } = await completeFrom((response) =>
      sendJson(response, { model: "gpt-4o-mini", choices, usage }),
    );
    expect(error).toMatchObject({ code: "upstream_error" });
    expect(counters).toMatchObject({ failed: 1, total_tokens: 13, estimated_requests: 0 });
  });

  test("of null or without anything in it is none", async () => {
    for (const error of [null, {}, "", false]) {
      const choices = [{ index: 0, message: { content: "Hello" }, finish_reason: "stop", error }];
      const { result } = await completeFrom((response) =>
        sendJson(response, { model: "gpt-4o-mini", error, choices, usage }),
      );
      expect(result).toMatchObject(exact);
    }
  });
});

describe("a model that is not there", () => {
  test.each<[string, number, object]>([
    ["OpenAI's 404", 404, { error: { message: "The model `x` does not exist", code: "model_not_found" } }],
    [
      "OpenAI's 403 for another project's",
      403,
      { error: { message: "Project has no access to model `x`", code: "model_not_found" } },
    ],
    [
      "Azure's deployment",
      404,
      { error: { code: "DeploymentNotFound", message: "The API deployment does not exist." } },
    ],
    ["Ollama's", 404, { error: { message: 'model "x" not found, try pulling it first', type: "api_error" } }],
    ["vLLM's, without an error object", 404, { object: "error", message: "The model `x` does not exist.", code: 404 }],
  ])("(%s) is the caller's 404", async (_, status, body) => {
    const { error } = await completeFrom((response) => sendJson(response, body, status));
    expect(error).toMatchObject({ code: "model_not_found", status: 404, param: "model" });
  });

  test("is no other 403, and no other 404", async () => {
    const forbidden = await completeFrom((response) =>
      sendJson(response, { error: { message: "Country", code: "unsupported_country" } }, 403),
    );
    expect(forbidden.error).toMatchObject({ code: "upstream_auth" });
    const page = await completeFrom((response) => response.writeHead(404).end("404 page not found"));
    expect(page.error).toMatchObject({ code: "upstream_error", openai: null });
  });
});

describe("GET /v1/models/{id}", async () => {
  const server = await serveAnswers({ models: (response, request) => sendJson(response, { url: request.url }) });
  const upstream: Upstream = server.upstream("models");
  const ask = (id: string) => upstream.models(id, Date.now() + 10_000);

  test.each([
    "..",
    ".",
    "",
    "../files",
    "a/../b",
    "%2e%2e",
    "%2E%2e/files",
    "%252e%252e",
    "..\\files",
    "a//b",
    "m".repeat(257),
    "é",
    "a\nb",
  ])("is a 404 for %j, and is not asked of OpenAI", async (id) => {
    const before = server.urls.length;
    await expect(ask(id)).rejects.toMatchObject({ code: "model_not_found", status: 404 });
    expect(server.urls).toHaveLength(before);
  });

  test.each(["gpt-4o", "openai/gpt-4o", "ft:gpt-4o-mini-2024-07-18:acme::x", "gpt-4.1", "..."])(
    "asks for %s",
    async (id) => {
      const { text } = await ask(id);
      expect(decodeURIComponent(JSON.parse(text).url)).toBe(`/models/v1/models/${id}`);
    },
  );
});

describe("an answer by another model than was asked for", () => {
  const answer = (model: string) => (response: Parameters<Answer>[0]) =>
    sendJson(response, { model, choices: [{ index: 0, message: { content: "Hello" }, finish_reason: "stop" }], usage });

  test("is priced as the one asked for when only that has a price", async () => {
    const { result } = await completeFrom(answer("my-deployment"));
    expect(result).toMatchObject({ model: "my-deployment", cost: { priced: true, usd: "0.000002850" } });
  });

  test("is priced as the one that answered when that has one", async () => {
    const { result } = await completeFrom(answer("gpt-4o"));
    expect(result).toMatchObject({ model: "gpt-4o", cost: { usd: "0.000047500" } });
  });

  test("is unpriced when neither has one", async () => {
    const { result } = await completeFrom(answer("my-deployment"), { model: "unheard-of" });
    expect(result).toMatchObject({ model: "my-deployment", cost: { priced: false } });
  });
});

test("a failure names every attempt, and none that OpenAI may have billed", async () => {
  const server = await serveAnswers({
    odd: (response) => sendJson(response, { error: { code: 500, message: "Oops" } }),
  });
  const failure = await server
    .upstream("odd", 3)
    .complete(params, Date.now() + 10_000)
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UpstreamFailure);
  expect(failure).toMatchObject({ attempts: 3, possiblyBilledAttempts: 0 });
});

test("the ledger agrees with all of it", async () => {
  expect(await problemsOf(deps)).toEqual([]);
});
