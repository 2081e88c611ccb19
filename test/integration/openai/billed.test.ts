import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { BilledEntry } from "../../../packages/local/src/openai/billed.ts";
import { startOpenAI } from "../../../packages/local/src/openai/server.ts";
import { saying, simulate, wire } from "./simulation.ts";

interface Report {
  data: BilledEntry[];
  totals: Record<string, number>;
}

const openai = await simulate();
const dataDir = await mkdtemp(join(tmpdir(), "openai-"));
afterAll(() => rm(dataDir, { recursive: true }));

describe("GET /_control/billed", () => {
  it("tells of every answer in order, with the ids and usage that the client saw, and totals", async () => {
    const responses = [
      await openai.post(saying("one")),
      await openai.post(saying("two", { model: "o3", service_tier: "flex" })),
    ];
    await openai.post(saying("refused", { n: 0 }));
    const bodies = await Promise.all(responses.map(wire));
    const { data, totals } = (await openai.control("GET", "billed")).body as Report;
    expect(data).toEqual(
      bodies.map(({ id, model, usage, service_tier, created }, index) => ({
        ...{ id, model, usage, service_tier, created },
        request_id: responses[index]?.headers.get("x-request-id"),
        delivered: true,
        key_hint: "ocal",
      })),
    );
    const sum = (key: "prompt_tokens" | "completion_tokens" | "total_tokens") =>
      bodies.reduce((total, { usage }) => total + usage[key], 0);
    expect(totals).toMatchObject({
      requests: 2,
      delivered: 2,
      prompt_tokens: sum("prompt_tokens"),
      completion_tokens: sum("completion_tokens"),
      total_tokens: sum("total_tokens"),
      reasoning_tokens: bodies[1]?.usage.completion_tokens_details.reasoning_tokens,
    });
    expect((await openai.control("DELETE", "billed")).body).toMatchObject({ data: [], totals: { requests: 0 } });
  });

  it("survives a restart in dataDir, a line cut off by a crash included", async () => {
    const report = async (url: string) => (await (await fetch(`${url}/_control/billed`)).json()) as Report;
    const ask = async (url: string, content: string) =>
      await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: "Bearer sk-local" },
        body: JSON.stringify(saying(content)),
      }).then(
        (response) => response.text(),
        () => "",
      );

    const first = await startOpenAI({ dataDir });
    await ask(first.url, "delivered");
    await ask(first.url, "[[fault:reset_after_billing]]");
    const before = await report(first.url);
    await first.close();
    await appendFile(join(dataDir, "billed.jsonl"), '{"billed":{"id":"chatc');

    const second = await startOpenAI({ dataDir });
    expect(await report(second.url)).toEqual(before);
    expect(before.data.map(({ delivered }) => delivered)).toEqual([true, false]);
    await ask(second.url, "after the crash");
    await second.close();

    const third = await startOpenAI({ dataDir });
    expect((await report(third.url)).data).toHaveLength(3);
    await fetch(`${third.url}/_control/billed`, { method: "DELETE" });
    await third.close();

    const fourth = await startOpenAI({ dataDir });
    expect((await report(fourth.url)).data).toEqual([]);
    await fourth.close();
  });
});

describe("GET /_control/requests", () => {
  it("tells how many requests came in and of what size, are in flight and were in flight at once", async () => {
    await openai.control("DELETE", "requests");
    const counted = async () => (await openai.control("GET", "requests")).body;
    const leaving = new AbortController();
    const hung = [1, 2, 3].map((n) => openai.client.chat.completions.create(hanging(n), { signal: leaving.signal }));
    const ended = Promise.allSettled(hung);
    const received = { received: 3, received_bytes: 3 * sizeOf(hanging(1)) };
    await expect.poll(counted).toEqual({ ...received, in_flight: 3, max_in_flight: 3 });
    leaving.abort();
    await ended;
    await expect.poll(counted).toEqual({ ...received, in_flight: 0, max_in_flight: 3 });
    await openai.post(saying("alone"));
    const received_bytes = received.received_bytes + sizeOf(saying("alone"));
    await expect.poll(counted).toEqual({ received: 4, received_bytes, in_flight: 0, max_in_flight: 3 });
  });

  const sizeOf = (body: object) => Buffer.byteLength(JSON.stringify(body));
  function hanging(n: number) {
    return { model: "gpt-4o", messages: [{ role: "user" as const, content: `${n} [[fault:hang]]` }] };
  }
});

describe("latencyMs", () => {
  it("makes every answer wait so long", async () => {
    const server = await startOpenAI({ latencyMs: 40 });
    const started = performance.now();
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: "Bearer sk-local" },
      body: JSON.stringify(saying("hi")),
    });
    expect(response.status).toBe(200);
    // Timers may fire a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual(39);
    await server.close();
  });
});
