import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { eventually, newCaller, picture, type Result, type TestCaller, unique, userMessage } from "./client.ts";
import { hasMetrics, type LogLine, ledgerAsMetrics, linesOf, refusalsOf, rounded, sumsOf } from "./emf.ts";

const stage = inject("stage");
let caller: TestCaller;
const logged = () => linesOf(readFileSync(inject("log"), "utf8"));

const chat = (text: string, body: object = {}, headers: Record<string, string> = {}) =>
  caller.send<Result>("POST", "/chat", { messages: userMessage(`${text} ${unique()}`), ...body }, headers);

/** The metric lines that this owner's results have left, once their sum has as many requests as the ledger. */
const settledLines = async (): Promise<LogLine[]> => {
  const { requests } = await caller.usage();
  return eventually(async () => {
    const lines = logged().filter(
      (line) => line.owner === caller.owner && line.event === "settled" && hasMetrics(line),
    );
    return sumsOf(lines).Requests >= requests ? lines : null;
  });
};

describe("the metrics of everything that a caller can ask for", () => {
  beforeAll(async () => {
    caller = await newCaller(stage);
    await chat("Hello");
    await chat("As it comes", { stream: true });
    await chat("[[fault:refusal]]");
    await chat("[[fault:off_schema]]", { schema: "sentiment" });
    await chat("[[fault:reset_after_billing times=1]]");
    await chat("[[fault:stream_break chunks=3]]", { stream: true });
    await chat("[[fault:401]]");
    await chat("Nobody knows its price", { service_tier: "scale" });
    // Answered twice, and paid for once.
    const again = { "idempotency-key": unique() };
    const twice = { messages: userMessage(unique()) };
    for (let time = 0; time < 2; time++) await caller.send("POST", "/chat", twice, again);
    await caller.send("POST", "/v1/chat/completions", { model: "gpt-4o", messages: userMessage(unique()) });
    const data = (await picture("png", 61, 62)).toString("base64");
    await caller.send("POST", "/vision", { images: [{ data }], prompt: unique() });
    const { body } = await chat("Later", {}, { prefer: "respond-async" });
    await caller.finished(body.id);
    await caller.putImage("cat.png", await picture("png", 62, 61));
    await caller.finishedResults(13);
  });

  test("add up to the ledger: to the token, and to the nano-dollar", async () => {
    const usage = await caller.usage();
    expect(usage).toMatchObject({ requests: 13, failed: 3, unpriced_requests: 1, unaccounted_attempts: 1 });
    expect(rounded(sumsOf(await settledLines()))).toMatchObject(ledgerAsMetrics(usage));
  });

  test("stand on lines that CloudWatch takes, under this stage and no other dimension", async () => {
    const lines = logged().filter(hasMetrics);
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) {
      expect({ line, refusals: refusalsOf(line) }).toEqual({ line, refusals: [] });
      expect(line).toMatchObject({ Stage: "local", _aws: { CloudWatchMetrics: [{ Dimensions: [["Stage"]] }] } });
    }
  });

  test("can be told apart by owner, model, source and result in the log", async () => {
    const [line] = (await settledLines()).filter(({ source }) => source === "openai");
    const [result] = (await caller.results()).filter(({ source }) => source === "openai");
    expect(line).toMatchObject({
      owner: caller.owner,
      result_id: result?.id,
      model: result?.model,
      status: "succeeded",
      route: "POST /v1/chat/completions",
      request_id: expect.any(String),
    });
  });

  test("every line says which request or message it is about, and Lambda's own id of the invocation", () => {
    // The sweep comes by the clock: it is about no request.
    const rows = readFileSync(inject("log"), "utf8").split("\n");
    const lines = linesOf(rows.filter((row) => !row.startsWith("Sweep ")).join("\n")).filter(({ event }) => event);
    const events = new Set(lines.map(({ event }) => event));
    expect([...events]).toEqual(
      expect.arrayContaining(["request", "settled", "openai_called", "image_analysed", "request_resumed"]),
    );
    for (const line of lines) {
      expect(line).toMatchObject({ timestamp: expect.any(String), level: expect.any(String) });
      expect({ line, id: line.request_id ?? line.message_id }).not.toEqual({ line, id: undefined });
      expect(line.aws_request_id).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});

describe("the calls of OpenAI", () => {
  beforeAll(async () => {
    caller = await newCaller(stage);
  });

  /** What a request's calls have left, once all of these have. */
  async function callsOf(text: string, calls: number, body: object = {}) {
    const { headers } = await chat(text, body);
    const requestId = headers.get("x-request-id");
    const lines = await eventually(async () => {
      const found = logged().filter((line) => line.request_id === requestId && line.event === "openai_called");
      return found.length >= calls ? found : null;
    });
    expect(lines).toHaveLength(calls);
    const { UpstreamLatencyMs, UpstreamErrors, UpstreamRateLimits, UpstreamAuthFailures } = sumsOf(
      lines.filter(hasMetrics),
    );
    return [UpstreamLatencyMs > 0, UpstreamErrors, UpstreamRateLimits, UpstreamAuthFailures];
  }

  test.each<[string, string, number, [boolean, number, number, number], object?]>([
    ["an answer", "Hello", 1, [true, 0, 0, 0]],
    ["an answer in pieces", "Hello", 1, [true, 0, 0, 0], { stream: true }],
    ["an answer after a rate limit", "[[fault:429 retry_after_ms=5 times=1]]", 2, [true, 0, 1, 0]],
    ["a failure, and then an answer", "[[fault:500 retry_after_ms=5 times=1]]", 2, [true, 1, 0, 0]],
    ["a connection that broke", "[[fault:reset times=1]]", 2, [true, 1, 0, 0]],
    ["an answer that could not be read", "[[fault:malformed times=1]]", 2, [true, 1, 0, 0]],
    ["a stream that broke off", "[[fault:stream_break chunks=2]]", 1, [false, 1, 0, 0], { stream: true }],
    ["a key that OpenAI does not take", "[[fault:401]]", 1, [false, 0, 0, 1]],
    ["an account without money", "[[fault:insufficient_quota]]", 1, [false, 0, 0, 1]],
    ["a request that OpenAI finds wrong, which is the caller's fault", "[[fault:400]]", 1, [false, 0, 0, 0]],
  ])("%s", async (_, text, calls, expected, body) => {
    expect(await callsOf(text, calls, body)).toEqual(expected);
  });
});
