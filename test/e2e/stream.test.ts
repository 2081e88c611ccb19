import { createParser } from "eventsource-parser";
import { beforeAll, describe, expect, inject, test } from "vitest";
import {
  billed,
  billedUsage,
  type ErrorBody,
  eventually,
  newCaller,
  picture,
  type Result,
  type TestCaller,
  unique,
  userMessage,
} from "./client.ts";

const stage = inject("stage");
let caller: TestCaller;
beforeAll(async () => {
  caller = await newCaller(stage);
});

interface Event {
  event: string | undefined;
  data: string;
}

async function open(path: string, body: object, headers: Record<string, string> = {}, signal?: AbortSignal) {
  return fetch(`${stage.api}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${caller.apiKey}`, ...headers },
    body: JSON.stringify({ ...body, stream: true }),
    ...(signal && { signal }),
  });
}

async function eventsOf(response: Response): Promise<Event[]> {
  const events: Event[] = [];
  const parser = createParser({ onEvent: ({ event, data }) => void events.push({ event, data }) });
  parser.feed(await response.text());
  return events;
}

const contentOf = (events: Event[]) =>
  events
    .filter(({ event, data }) => event === undefined && data !== "[DONE]")
    .map(({ data }) => JSON.parse(data).choices[0]?.delta?.content ?? "")
    .join("");

describe("POST /chat with stream: true", () => {
  test("sends OpenAI's chunks and then the result", async () => {
    const response = await open("/chat", { messages: userMessage(`What a lovely day. ${unique()}`) });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const events = await eventsOf(response);
    expect(events.at(-1)?.data).toBe("[DONE]");
    const result: Result = JSON.parse(events.find(({ event }) => event === "result")?.data ?? "null");
    expect(result).toMatchObject({
      id: response.headers.get("x-tollgate-result"),
      status: "succeeded",
      finish_reason: "stop",
    });
    expect(contentOf(events)).toBe(result.content);
    expect(result.usage).toMatchObject(await billedUsage(stage, result));
    expect(result.usage).not.toHaveProperty("estimated");
    expect((await caller.send("GET", `/results/${result.id}`)).body).toEqual(result);
  });

  test("parses a structured output at its end", async () => {
    const events = await eventsOf(
      await open("/chat", { schema: "sentiment", messages: userMessage(`I love it! ${unique()}`) }),
    );
    const result: Result = JSON.parse(events.find(({ event }) => event === "result")?.data ?? "null");
    expect(result.output).toMatchObject({ sentiment: "positive" });
  });

  const weather = { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } };
  test.each([
    ["a custom tool", { tools: [{ type: "custom", custom: { name: "get_weather" } }] }, "tool_calls"],
    ["a function", { functions: [weather] }, "function_call"],
  ] as const)("has the call of %s in its result, in the list and in a replay", async (_, changes, name) => {
    const request = { model: "gpt-5-mini", messages: userMessage(`Get the weather in Paris. ${unique()}`), ...changes };
    const key = { "idempotency-key": unique() };
    const events = await eventsOf(await open("/chat", request, key));
    const result: Result = JSON.parse(events.find(({ event }) => event === "result")?.data ?? "null");
    const call = { name: "get_weather", [name === "tool_calls" ? "input" : "arguments"]: expect.stringMatching(/./) };
    expect(result).toMatchObject({
      finish_reason: name,
      [name]: name === "tool_calls" ? [{ type: "custom", custom: call }] : call,
    });
    expect((await caller.results()).find(({ id }) => id === result.id)).toEqual(result);
    const replayed = await eventsOf(await open("/chat", request, key));
    const { delta } = JSON.parse(replayed[0]?.data ?? "null").choices[0];
    expect(delta[name]).toMatchObject(name === "tool_calls" ? [{ index: 0, custom: call }] : call);
    expect(replayed.at(-2)).toEqual(events.at(-2));
  });

  test("sends the first chunk while OpenAI is still speaking", async () => {
    const response = await open("/chat", {
      messages: userMessage(`[[fault:stream_pause chunks=2 ms=3000]] ${unique()}`),
    });
    const first = await response.body?.getReader().read();
    expect(new TextDecoder().decode(first?.value)).toMatch(/^data: \{"id":"chatcmpl-/);
    const requests = await fetch(`${new URL(stage.openai).origin}/_control/requests`);
    expect(await requests.json()).toMatchObject({ in_flight: 1 });
  });

  test("answers an error that comes before the first chunk with its status", async () => {
    const refused = await open("/chat", { messages: userMessage(`[[fault:429 retry_after=600]] ${unique()}`) });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "600"]);
    expect(((await refused.json()) as ErrorBody).error.code).toBe("rate_limited");
  });

  test("records an estimate, marked as one, when OpenAI breaks off", async () => {
    const owner = await newCaller(stage);
    const response = await fetch(`${stage.api}/chat`, {
      method: "POST",
      headers: { authorization: `Bearer ${owner.apiKey}` },
      body: JSON.stringify({ stream: true, messages: userMessage(`[[fault:stream_break chunks=3]] ${unique()}`) }),
    });
    const events = await eventsOf(response);
    expect(JSON.parse(events.find(({ event }) => event === "error")?.data ?? "null").error.code).toBe("upstream_error");
    const result = await owner.finished(response.headers.get("x-tollgate-result") ?? "");
    expect(result).toMatchObject({ status: "failed", error: { code: "upstream_error" }, usage: { estimated: true } });
    expect(result.usage?.total_tokens).toBeGreaterThan(0);
    expect(await owner.usage()).toMatchObject({ total_tokens: result.usage?.total_tokens, estimated_requests: 1 });
  });

  test("records the exact usage when the client breaks off", async () => {
    const abort = new AbortController();
    const response = await open("/chat", { messages: userMessage(`A long story. ${unique()}`) }, {}, abort.signal);
    await response.body?.getReader().read();
    abort.abort();
    const result = await caller.finished(response.headers.get("x-tollgate-result") ?? "");
    expect(result.status).toBe("succeeded");
    expect(result.usage).toMatchObject(await billedUsage(stage, result));
  });

  test("replays a stored result as a stream, without asking OpenAI", async () => {
    const request = { schema: "sentiment", messages: userMessage(`Superb. ${unique()}`) };
    const key = { "idempotency-key": unique() };
    const asked = await open("/chat", request, key);
    expect(asked.headers.get("idempotent-replayed")).toBeNull();
    const first = await eventsOf(asked);
    const before = (await billed(stage)).size;
    const again = await open("/chat", request, key);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const second = await eventsOf(again);
    expect(contentOf(second)).toBe(contentOf(first));
    expect(second.at(-2)).toEqual(first.at(-2));
    expect((await billed(stage)).size).toBe(before);
  });
});

test("POST /vision streams too", async () => {
  const data = (await picture("png")).toString("base64");
  const events = await eventsOf(await open("/vision", { images: [{ data }], prompt: unique() }));
  const result: Result = JSON.parse(events.find(({ event }) => event === "result")?.data ?? "null");
  expect(result).toMatchObject({ kind: "vision", status: "succeeded", content: contentOf(events) });
});

test("a stream's result is listed like any other", async () => {
  const response = await open("/chat", { messages: userMessage(unique()) });
  const id = response.headers.get("x-tollgate-result");
  await eventsOf(response);
  await eventually(async () => ((await caller.results()).some((result) => result.id === id) ? true : null));
});
