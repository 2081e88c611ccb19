import { readBudget } from "@tollgate/core/budget/budget";
import { monthOf } from "@tollgate/core/budget/month";
import { describe, expect, inject, test } from "vitest";
import {
  awsClients,
  billed,
  type ErrorBody,
  newCaller,
  picture,
  type Result,
  type TestCaller,
  unique,
  userMessage,
} from "./client.ts";

const stage = inject("stage");
const usd = (dollars: number) => Math.round(dollars * 1e9);
const nanoUsd = (text: string | null | undefined) => Math.round(Number(text) * 1e9);

const budgetOf = ({ keyId }: TestCaller) =>
  readBudget({ dynamodb: awsClients(stage).dynamodb, tableName: stage.table }, keyId, monthOf(new Date()));

/** A request that reserves a known sum: 100 completion tokens, and a prompt of always the same length. */
const request = (fault = "") => ({
  model: "gpt-4o-mini",
  max_tokens: 100,
  messages: userMessage(`${fault}${unique()}`),
});

/** What such a request reserves, as a refusal tells it. */
async function reservedBy(body: unknown, route = "/chat"): Promise<number> {
  const caller = await newCaller(stage, { budgetNanoUsd: 1 });
  const { body: refusal } = await caller.send<ErrorBody>("POST", route, body);
  return nanoUsd(/would reserve \$([\d.]+\d)/.exec(refusal.error.message)?.[1]);
}

const atOnce = <T>(count: number, send: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, send));

describe("a key with a budget", () => {
  test("pays what its calls cost, and nothing stays reserved", async () => {
    const caller = await newCaller(stage, { budgetNanoUsd: usd(1) });
    const { status, body } = await caller.send<Result>("POST", "/chat", request());
    expect(status).toBe(200);
    const cost = nanoUsd(body.cost?.usd);
    expect(cost).toBeGreaterThan(0);
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: cost, spent_nano_usd: cost });
  });

  test("is refused with 402 when it has no room, telling why and until when; nothing is stored or asked", async () => {
    const caller = await newCaller(stage, { budgetNanoUsd: 1_000 });
    const before = await billed(stage);
    const { status, body } = await caller.send<ErrorBody>("POST", "/chat", request());
    expect(status).toBe(402);
    expect(body.error).toMatchObject({ code: "budget_exceeded", type: "invalid_request_error" });
    expect(body.error.message).toMatch(
      /budget is \$0\.000001 a month\. \$0\.00 of it .* in \d{4}-\d\d, .* would reserve \$0\.000\d+,.* \d{4}-\d\d-01T00:00:00Z/,
    );
    expect(body.error.result_id).toBeUndefined();
    expect(await caller.results()).toEqual([]);
    expect((await caller.usage()).requests).toBe(0);
    expect((await billed(stage)).size).toBe(before.size);
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: 0, spent_nano_usd: 0 });
  });

  test("lets no more of 100 requests at once through than fit, and none fails otherwise", async () => {
    const slow = "[[fault:slow ms=300]]";
    const each = await reservedBy(request(slow));
    const caller = await newCaller(stage, { budgetNanoUsd: 10 * each });
    const before = await billed(stage);
    const answers = await atOnce(100, () => caller.send<Result & ErrorBody>("POST", "/chat", request(slow)));
    const done = answers.filter(({ status }) => status === 200);
    expect(done.length).toBeGreaterThanOrEqual(10);
    // The others wait for money that is reserved, and not spent.
    const waiting = answers.filter(({ status }) => status === 429);
    expect(waiting).toHaveLength(100 - done.length);
    for (const { body, headers } of waiting) {
      expect(body.error).toMatchObject({ code: "rate_limited", type: "rate_limit_error" });
      expect(body.error.message).toMatch(/\$0\.\d+ are reserved by requests that are still running/);
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    }
    const spent = done.reduce((sum, { body }) => sum + nanoUsd(body.cost?.usd), 0);
    expect(spent).toBeLessThanOrEqual(10 * each);
    expect((await billed(stage)).size - before.size).toBe(done.length);
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });
    expect((await caller.usage()).requests).toBe(done.length);
  });

  test("settles 100 requests that all fit, to the nano-dollar", async () => {
    const caller = await newCaller(stage, { budgetNanoUsd: usd(1) });
    const answers = await atOnce(100, () => caller.send<Result>("POST", "/chat", request()));
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
    const spent = answers.reduce((sum, { body }) => sum + nanoUsd(body.cost?.usd), 0);
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });
  });

  test.each(["500", "429 retry_after=600", "401", "400"])(
    "gets its reservation back when OpenAI answers %s",
    async (fault) => {
      const caller = await newCaller(stage, { budgetNanoUsd: usd(1) });
      const { status } = await caller.send("POST", "/chat", request(`[[fault:${fault}]]`));
      expect(status).toBeGreaterThanOrEqual(400);
      expect(await budgetOf(caller)).toEqual({ committed_nano_usd: 0, spent_nano_usd: 0 });
    },
  );

  test("is charged what an attempt could have cost that may have been billed unseen", async () => {
    const body = request("[[fault:reset_after_billing times=1]]");
    const each = await reservedBy({
      ...body,
      messages: userMessage(`[[fault:reset_after_billing times=1]]${unique()}`),
    });
    const caller = await newCaller(stage, { budgetNanoUsd: usd(1) });
    const answer = await caller.send<Result>("POST", "/chat", body);
    expect(answer.body.openai?.attempts).toBe(2);
    const spent = each + nanoUsd(answer.body.cost?.usd);
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });
    expect((await caller.usage()).unaccounted_attempts).toBe(1);
  });

  test("pays for an answer that does not fit its schema", async () => {
    const caller = await newCaller(stage, { budgetNanoUsd: usd(1) });
    const { status } = await caller.send("POST", "/chat", { ...request("[[fault:off_schema]]"), schema: "sentiment" });
    expect(status).toBe(502);
    const spent = nanoUsd((await caller.usage()).cost_usd);
    expect(spent).toBeGreaterThan(0);
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });
  });

  test("pays for a stream, by its usage when it ends and by its reservation when it breaks off", async () => {
    const caller = await newCaller(stage, { budgetNanoUsd: usd(1) });
    const stream = { ...request(), model: "gpt-4o-mini", stream: true };
    await caller.send("POST", "/v1/chat/completions", stream);
    const whole = nanoUsd((await caller.usage()).cost_usd);
    expect(whole).toBeGreaterThan(0);
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: whole, spent_nano_usd: whole });

    const broken = { ...stream, messages: userMessage(`[[fault:stream_break chunks=2]]${unique()}`) };
    const reserved = await reservedBy(broken, "/v1/chat/completions");
    await caller.send("POST", "/v1/chat/completions", broken);
    const spent = whole + reserved;
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });
  });

  test("reserves and pays once for duplicates under one Idempotency-Key", async () => {
    const body = request("[[fault:slow ms=300]]");
    const caller = await newCaller(stage, { budgetNanoUsd: await reservedBy(body) });
    const key = { "idempotency-key": unique() };
    const answers = await Promise.all([0, 1, 2, 3, 4].map(() => caller.send<Result>("POST", "/chat", body, key)));
    const done = answers.filter(({ status }) => status === 200);
    expect(new Set(done.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(answers.length - done.length);
    const again = await caller.send<Result>("POST", "/chat", body, key);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const spent = nanoUsd(again.body.cost?.usd);
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });
  });

  test("may send the same Idempotency-Key again after a 402: no result stands in its way", async () => {
    const caller = await newCaller(stage, { budgetNanoUsd: 1 });
    const [body, key] = [request(), { "idempotency-key": unique() }];
    for (let i = 0; i < 2; i++) {
      const { status, headers } = await caller.send("POST", "/chat", body, key);
      expect([status, headers.get("idempotent-replayed")]).toEqual([402, null]);
    }
  });

  test("cannot use a model or a service tier whose price is not known", async () => {
    const caller = await newCaller(stage, { budgetNanoUsd: usd(1) });
    for (const [param, more] of [
      ["model", { model: "llama3.2" }],
      ["service_tier", { service_tier: "scale" }],
    ] as const) {
      const { status, body } = await caller.send<ErrorBody>("POST", "/chat", { ...request(), ...more });
      expect([status, body.error.code, body.error.param]).toEqual([403, "model_not_allowed", param]);
      expect(body.error.message).toMatch(/price .* not known .*PRICES/);
    }
    expect(await caller.results()).toEqual([]);
  });

  test("of $1 may call gpt-5 without naming a maximum: the key's own, or a default, is sent to OpenAI", async () => {
    const body = { model: "gpt-5", messages: userMessage(unique()) };
    for (const route of ["/chat", "/v1/chat/completions"]) {
      const caller = await newCaller(stage, { budgetNanoUsd: usd(1) });
      expect((await caller.send("POST", route, body)).status).toBe(200);
      const strict = await newCaller(stage, { budgetNanoUsd: usd(1), maxOutputTokens: 64 });
      const reasoned = await strict.send("POST", route, {
        ...body,
        messages: userMessage(`[[fault:length]]${unique()}`),
      });
      expect(reasoned.status).toBe(200);
      const { completion_tokens } = await strict.usage();
      expect(completion_tokens).toBeLessThanOrEqual(64);
    }
  });

  test("may not ask for more output than its key allows, and hears which field and how much", async () => {
    const caller = await newCaller(stage, { budgetNanoUsd: usd(1), maxOutputTokens: 64 });
    for (const field of ["max_tokens", "max_completion_tokens"]) {
      const { status, body } = await caller.send<ErrorBody>("POST", "/chat", {
        messages: userMessage(unique()),
        [field]: 65,
      });
      expect([status, body.error.code]).toEqual([400, "invalid_request"]);
      expect(body.error.message).toContain("at most 64 output tokens");
    }
    expect(await caller.results()).toEqual([]);
  });

  test("pays for pictures, whether sent along or uploaded", async () => {
    const caller = await newCaller(stage, { budgetNanoUsd: usd(1) });
    const data = (await picture("png", 62, 41)).toString("base64");
    const sent = await caller.send<Result>("POST", "/vision", { images: [{ data }], prompt: unique() });
    expect(sent.status).toBe(200);
    const upload = (await caller.send<{ id: string }>("POST", "/uploads", { content_type: "image/png" })).body;
    await caller.putImage(upload.id, await picture("png", 63, 41));
    const uploaded = await caller.finished(upload.id);
    expect(uploaded.status).toBe("succeeded");
    const spent = nanoUsd(sent.body.cost?.usd) + nanoUsd(uploaded.cost?.usd);
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });
  });

  test("an uploaded picture that the budget has no room for ends as failed, and is not asked", async () => {
    const caller = await newCaller(stage, { budgetNanoUsd: 1 });
    const upload = (await caller.send<{ id: string }>("POST", "/uploads", { content_type: "image/png" })).body;
    await caller.putImage(upload.id, await picture("png", 64, 41));
    expect(await caller.finished(upload.id)).toMatchObject({
      status: "failed",
      usage: null,
      error: { code: "budget_exceeded" },
    });
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: 0, spent_nano_usd: 0 });
  });

  test("is charged for work that was put off, when it is done", async () => {
    const caller = await newCaller(stage, { budgetNanoUsd: usd(1) });
    const later = { prefer: "respond-async" };
    const accepted = await caller.send<Result>("POST", "/chat", request(), later);
    expect(accepted.status).toBe(202);
    const spent = nanoUsd((await caller.finished(accepted.body.id)).cost?.usd);
    expect(spent).toBeGreaterThan(0);
    expect(await budgetOf(caller)).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });

    const poor = await newCaller(stage, { budgetNanoUsd: 1 });
    const { body } = await poor.send<Result>("POST", "/chat", request(), later);
    expect(await poor.finished(body.id)).toMatchObject({ status: "failed", error: { code: "budget_exceeded" } });
  });
});
