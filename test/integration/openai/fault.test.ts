import { createServer } from "node:net";
import { APIConnectionError, APIConnectionTimeoutError, APIError, RateLimitError } from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { startOpenAI } from "../../../packages/local/src/openai/server.ts";
import { choiceIn, saying, simulate, wire } from "./simulation.ts";

const openai = await simulate();

afterEach(async () => {
  await openai.control("DELETE", "faults");
  await openai.control("DELETE", "billed");
  await openai.control("DELETE", "requests");
});

async function arm(...rules: object[]) {
  expect(await openai.control("POST", "faults", rules)).toMatchObject({ status: 200 });
}

/** Every answer billed so far, by whether it was delivered. */
async function billed(): Promise<boolean[]> {
  const { data } = (await openai.control("GET", "billed")).body as { data: { delivered: boolean }[] };
  return data.map(({ delivered }) => delivered);
}

function create(content: string, options: { timeout?: number; maxRetries?: number } = {}) {
  return openai.client.chat.completions.create(
    { model: "gpt-4o-mini", messages: [{ role: "user", content }] },
    options,
  );
}

const statuses = async (content: string, count: number) => {
  const seen: number[] = [];
  for (let at = 0; at < count; at++) seen.push((await openai.post(saying(content))).status);
  return seen;
};

describe("a status fault", () => {
  it("answers 429 in OpenAI's words with Retry-After, bills nothing, and is over after one request", async () => {
    await arm({ fault: { kind: "status", status: 429, retry_after: 7, retry_after_ms: 6500 } });
    const error = await create("hi").catch((thrown: unknown) => thrown);
    if (!(error instanceof RateLimitError)) throw error;
    expect(error).toMatchObject({ status: 429, code: "rate_limit_exceeded", type: "requests" });
    expect(error.requestID).toMatch(/^req_/);
    expect([error.headers.get("retry-after"), error.headers.get("retry-after-ms")]).toEqual(["7", "6500"]);
    expect(await billed()).toEqual([]);
    expect((await create("hi")).choices).toHaveLength(1);
  });

  it("lets the official client's retry through", async () => {
    await arm({ times: 2, fault: { kind: "status", status: 503, retry_after_ms: 1 } });
    expect((await create("hi", { maxRetries: 2 })).choices).toHaveLength(1);
    expect((await openai.control("GET", "requests")).body).toMatchObject({ received: 3 });
  });

  it("is insufficient_quota when its code says so", async () => {
    await arm({ fault: { kind: "status", status: 429, code: "insufficient_quota" } });
    expect((await wire(await openai.post(saying("hi")))).error).toMatchObject({
      type: "insufficient_quota",
      code: "insufficient_quota",
    });
  });

  it.each([400, 401, 403, 500, 502, 503])("answers %i", async (status) => {
    await arm({ fault: { kind: "status", status } });
    const response = await openai.post(saying("hi"));
    expect(response.status).toBe(status);
    expect((await wire(response)).error.message).not.toBe("");
  });
});

describe("a rule", () => {
  const fault = { kind: "status", status: 500 };

  it("strikes the nth matching request, so many times", async () => {
    await arm({ match: { contains: "apple", nth: 2 }, times: 2, fault });
    expect(await statuses("pear", 2)).toEqual([200, 200]);
    expect(await statuses("an apple", 4)).toEqual([200, 500, 500, 200]);
  });

  it("strikes each third matching request, so many times", async () => {
    await arm({ match: { every: 3, nth: 2 }, times: 2, fault });
    expect(await statuses("hi", 9)).toEqual([200, 500, 200, 200, 500, 200, 200, 200, 200]);
  });

  it("strikes for ever with times 0, until the faults are cleared", async () => {
    await arm({ times: 0, fault });
    expect(await statuses("hi", 3)).toEqual([500, 500, 500]);
    await openai.control("DELETE", "faults");
    expect(await statuses("hi", 1)).toEqual([200]);
  });

  it("strikes one model only", async () => {
    await arm({ match: { model: "gpt-4o" }, fault });
    expect(await statuses("hi", 1)).toEqual([200]);
    expect((await openai.post(saying("hi", { model: "gpt-4o" }))).status).toBe(500);
  });

  it("gives way to the one before it", async () => {
    await arm({ fault: { kind: "status", status: 500 } }, { fault: { kind: "status", status: 503 }, times: 2 });
    expect(await statuses("hi", 3)).toEqual([500, 503, 200]);
  });

  it.each([
    { fault: { kind: "explode" } },
    { fault: { kind: "status" } },
    { fault: { kind: "hang", ms: 1 } },
    { match: { content: "x" }, fault },
    {},
  ])("is refused as %j", async (rule) => {
    expect(await openai.control("POST", "faults", [rule])).toMatchObject({ status: 400 });
  });

  it("does not strike a request that OpenAI would refuse anyway", async () => {
    await arm({ fault });
    expect((await openai.post(saying("hi", { n: 0 }))).status).toBe(400);
    expect(await statuses("hi", 1)).toEqual([500]);
  });
});

describe("a marker in a conversation", () => {
  const tool = { type: "function", function: { name: "unasked", parameters: { type: "object", properties: {} } } };
  type Turn = Record<string, unknown>;

  /** Runs tools as an agent does: sends the conversation again with each call's result. @returns how many requests it took */
  async function agentLoop(content: string, system?: string): Promise<number> {
    const messages: Turn[] = [...(system ? [{ role: "system", content: system }] : []), { role: "user", content }];
    for (let turns = 1; turns <= 10; turns++) {
      const response = await openai.post({ model: "gpt-4o-mini", messages, tools: [tool] });
      if (response.status !== 200) continue;
      const [choice] = (await wire(response)).choices;
      if (!choice) throw new Error("no choice");
      const calls = choice.message.tool_calls ?? [];
      if (calls.length === 0) return turns;
      messages.push({ ...choice.message } as unknown as Turn);
      for (const call of calls) messages.push({ role: "tool", tool_call_id: call.id, content: "done" });
    }
    throw new Error("the loop does not end");
  }

  it("is spent once an assistant has answered its message, so that an agent's loop ends", async () => {
    expect(await agentLoop("[[fault:tool_calls]] Go")).toBe(2);
    expect(await agentLoop("Go", "Be brief. [[fault:tool_calls]]")).toBe(2);
  });

  it("counts up to its own message, however the conversation goes on", async () => {
    expect(await agentLoop("[[fault:tool_calls times=3]] Go")).toBe(4);
    expect(await agentLoop("[[fault:429 times=2]] Go on")).toBe(3);
  });

  it("counts anew in another conversation", async () => {
    const marked = { role: "user", content: "[[fault:500 times=1]] the same words" };
    const said = async (before: Turn[]) =>
      (await openai.post({ model: "gpt-4o-mini", messages: [...before, marked] })).status;
    expect([await said([]), await said([])]).toEqual([500, 200]);
    expect(await said([{ role: "system", content: "another" }])).toBe(500);
  });

  it("in a later message strikes when an earlier one is spent", async () => {
    const messages = [
      { role: "user", content: "[[fault:429]] one" },
      { role: "assistant", content: "1" },
      { role: "user", content: "[[fault:503]] two" },
    ];
    expect((await openai.post({ model: "gpt-4o-mini", messages })).status).toBe(503);
  });

  it("is nothing in what an assistant said", async () => {
    const messages = [
      { role: "user", content: "hi" },
      { role: "assistant", content: "[[fault:500]]" },
      { role: "user", content: "again" },
    ];
    expect((await openai.post({ model: "gpt-4o-mini", messages })).status).toBe(200);
  });
});

describe("a marker in the text", () => {
  it("strikes every request that holds it, or so many", async () => {
    expect(await statuses("hi [[fault:429 retry_after=1]]", 2)).toEqual([429, 429]);
    expect(await statuses("hi [[fault:500 times=1]]", 2)).toEqual([500, 200]);
    expect((await openai.post(saying("[[fault:429 retry_after=9]]"))).headers.get("retry-after")).toBe("9");
    expect((await wire(await openai.post(saying("[[fault:insufficient_quota]]")))).error.code).toBe(
      "insufficient_quota",
    );
    expect((await choiceIn(await openai.post(saying("[[fault:refusal]]")))).message.refusal).not.toBeNull();
  });

  it("is refused, naming the kinds, when there is no such fault", async () => {
    const response = await openai.post(saying("[[fault:explode]]"));
    expect(response.status).toBe(400);
    expect((await wire(response)).error.message).toContain("'content_filter'");
  });

  it("is no part of the text that is answered", async () => {
    const { content } = await choiceIn(await openai.post(saying("I love it [[fault:slow ms=1]]")));
    expect(content).toContain("3 words");
  });
});

describe("a broken connection", () => {
  it("hangs until the client gives up, unbilled", async () => {
    await arm({ fault: { kind: "hang" } });
    await expect(create("hi", { timeout: 100 })).rejects.toBeInstanceOf(APIConnectionTimeoutError);
    await expect.poll(async () => (await openai.control("GET", "requests")).body).toMatchObject({ in_flight: 0 });
    expect(await billed()).toEqual([]);
  });

  it("answers late, as slow as it was told", async () => {
    await arm({ fault: { kind: "slow", ms: 50 } });
    const started = performance.now();
    expect((await create("hi")).choices).toHaveLength(1);
    // Timers may fire a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual(49);
  });

  it("bills an answer for which the client did not wait", async () => {
    await arm({ fault: { kind: "slow", ms: 60_000 } });
    await expect(create("hi", { timeout: 100 })).rejects.toBeInstanceOf(APIConnectionTimeoutError);
    await expect.poll(billed).toEqual([false]);
  });

  it.each([
    ["reset", []],
    ["reset_after_billing", [false]],
    ["truncated", [false]],
    ["stream_break", [false]],
  ])("by %s fails in the client and has billed %j", async (kind, expected) => {
    await arm({ fault: { kind } });
    await expect(create("hi")).rejects.toThrow();
    expect(await billed()).toEqual(expected);
  });

  it("by reset is a connection error to the official client", async () => {
    await arm({ fault: { kind: "reset" } });
    await expect(create("hi")).rejects.toBeInstanceOf(APIConnectionError);
  });

  it("has a 200 that is not JSON when malformed, billed", async () => {
    await arm({ fault: { kind: "malformed" } });
    const response = await openai.post(saying("hi"));
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    await expect(response.json()).rejects.toThrow(SyntaxError);
    expect(await billed()).toEqual([false]);
  });
});

describe("a strange answer", () => {
  const schema = {
    type: "object",
    properties: { sentiment: { type: "string" } },
    required: ["sentiment"],
    additionalProperties: false,
  };
  const response_format = { type: "json_schema", json_schema: { name: "s", strict: true, schema } };

  async function struck(kind: string) {
    await arm({ fault: { kind } });
    return await openai.post(saying("I love it", { response_format }));
  }

  it.each<[string, object]>([
    ["refusal", { finish_reason: "stop", message: { content: null, refusal: expect.any(String) } }],
    ["length", { finish_reason: "length", message: { content: '{"sentiment' } }],
    ["content_filter", { finish_reason: "content_filter" }],
    ["tool_calls", { finish_reason: "tool_calls", message: { content: null, tool_calls: [{ type: "function" }] } }],
    ["off_schema", { finish_reason: "stop", message: { content: '{"off_schema":true}' } }],
  ])("is billed and delivered as %s", async (kind, choice) => {
    expect(await choiceIn(await struck(kind))).toMatchObject(choice);
    expect(await billed()).toEqual([true]);
  });

  it("has content that is not JSON for bad_json", async () => {
    const { content, finish_reason } = await choiceIn(await struck("bad_json"));
    expect(finish_reason).toBe("stop");
    expect(() => JSON.parse(content)).toThrow(SyntaxError);
  });

  it.each([{}, { response_format }])("is so much longer for long, and still what was asked for: %j", async (format) => {
    await arm({ fault: { kind: "long", bytes: 5_000 } });
    const { content } = await choiceIn(await openai.post(saying("I love it", format)));
    expect(content.length).toBeGreaterThan(5_000);
    expect(content).toContain("and so on and so on");
    if (format.response_format) expect(JSON.parse(content)).toEqual({ sentiment: expect.any(String) });
  });

  it("has a usage but no choices for no_choices", async () => {
    const body = await wire(await struck("no_choices"));
    expect(body.choices).toEqual([]);
    expect(body.usage.prompt_tokens).toBeGreaterThan(0);
    expect(await billed()).toEqual([true]);
  });
});

describe("a stream", () => {
  async function deltas(fault: object): Promise<{ received: number; error: unknown }> {
    await arm({ fault });
    const messages = [{ role: "user" as const, content: "I love it" }];
    let received = 0;
    try {
      for await (const _ of await openai.client.chat.completions.create({ model: "gpt-4o", messages, stream: true }))
        received += 1;
      return { received, error: null };
    } catch (error) {
      return { received, error };
    }
  }

  it("is cut after so many chunks by stream_break, billed but not delivered", async () => {
    const { received, error } = await deltas({ kind: "stream_break", chunks: 4 });
    expect([received, error === null]).toEqual([4, false]);
    expect(await billed()).toEqual([false]);
  });

  it("breaks on an event that is not JSON when malformed", async () => {
    expect((await deltas({ kind: "malformed" })).error).not.toBeNull();
    expect(await billed()).toEqual([false]);
  });

  it("answers a status fault before it begins", async () => {
    const { error } = await deltas({ kind: "status", status: 429 });
    expect(error).toBeInstanceOf(APIError);
  });

  it("carries a refusal in its own deltas", async () => {
    await arm({ fault: { kind: "refusal" } });
    const request = { model: "gpt-4o", messages: [{ role: "user" as const, content: "hi" }] };
    const completion = await openai.client.chat.completions.stream(request).finalChatCompletion();
    expect(completion.choices[0]?.message.refusal).toMatch(/can't assist/);
  });

  it("that the client leaves is billed but not delivered", async () => {
    const leaving = new AbortController();
    const messages = [{ role: "user" as const, content: "I love it" }];
    const options = { signal: leaving.signal };
    // Enough choices that the stream cannot be over when the first chunk is read.
    const stream = await openai.client.chat.completions.create(
      { model: "gpt-4o", n: 128, messages, stream: true },
      options,
    );
    for await (const _ of stream) break;
    leaving.abort();
    await expect.poll(async () => (await openai.control("GET", "requests")).body).toMatchObject({ in_flight: 0 });
    expect(await billed()).toEqual([false]);
  });
});

describe("close", () => {
  it("ends hung and slow requests and frees the port", async () => {
    const server = await startOpenAI();
    const post = (content: string) =>
      fetch(`${server.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: "Bearer sk-local" },
        body: JSON.stringify(saying(content)),
      }).then(
        () => "answered",
        () => "ended",
      );
    const waiting = [post("[[fault:hang]]"), post("[[fault:slow ms=600000]]")];
    const inFlight = async () =>
      (await (await fetch(`${server.url}/_control/requests`)).json()) as { in_flight: number };
    await expect.poll(inFlight).toMatchObject({ in_flight: 2 });
    await server.close();
    expect(await Promise.all(waiting)).toEqual(["ended", "ended"]);
    const again = createServer().listen(Number(new URL(server.url).port), "127.0.0.1");
    await new Promise((resolve, reject) => again.once("listening", resolve).once("error", reject));
    again.close();
  });
});
