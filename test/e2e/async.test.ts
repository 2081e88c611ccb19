import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, GetQueueUrlCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { chatJob } from "@tollgate/core/chat/chat";
import { deferredMessage, type EnqueueDeps, enqueue } from "@tollgate/core/completion/enqueue";
import { processRequest, resultIdOf } from "@tollgate/core/deferred/process";
import { unlimited } from "@tollgate/core/key/limits";
import { createUpstream } from "@tollgate/core/openai/client";
import { noLease } from "@tollgate/core/result/item";
import { readItem } from "@tollgate/core/result/store";
import { createImageStore } from "@tollgate/core/s3/s3-images";
import { createS3TextStore } from "@tollgate/core/s3/s3-text-store";
import { describe, expect, inject, test } from "vitest";
import { committedManifest, named } from "../infra/stage.ts";
import {
  type Answer,
  awsClients,
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
const { dynamodb, s3, sqs } = awsClients(stage);
const { queues } = await committedManifest();
const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: named(queues, "RequestDeferredQueue").name }));

const respondAsync = { prefer: "respond-async" };

const deferred = <T = Result>(caller: TestCaller, path: string, body: unknown, headers = {}): Promise<Answer<T>> =>
  caller.send<T>("POST", path, body, { ...respondAsync, ...headers });

/** The requests that still wait, by key. */
async function waitingRequests({ owner }: TestCaller): Promise<string[]> {
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: stage.bucket, Prefix: `requests/${owner}/` }),
  );
  return Contents.map(({ Key }) => Key ?? "");
}

const noneWait = (caller: TestCaller) =>
  eventually(async () => ((await waitingRequests(caller)).length === 0 ? true : null));

describe("POST with Prefer: respond-async", () => {
  test("answers 202 with the result's id at once, and the result comes", async () => {
    const caller = await newCaller(stage);
    const answer = await deferred(caller, "/chat", { messages: userMessage(`[[fault:slow ms=1500]] ${unique()}`) });
    expect(answer.status).toBe(202);
    expect(answer.headers.get("preference-applied")).toBe("respond-async");
    expect(answer.headers.get("location")).toBe(`/results/${answer.body.id}`);
    expect(answer.headers.get("x-tollgate-result")).toBe(answer.body.id);
    expect(answer.body).toMatchObject({
      object: "result",
      kind: "chat",
      source: "http",
      status: "running",
      owner: caller.owner,
      output: null,
      usage: null,
      error: null,
      completed_at: null,
    });
    const location = answer.headers.get("location") ?? "";
    expect((await caller.send<Result>("GET", location)).body.status).toBe("running");
    const result = await caller.finished(answer.body.id);
    expect(result).toMatchObject({ status: "succeeded", source: "http", created_at: answer.body.created_at });
    expect(result.usage).toMatchObject(await billedUsage(stage, result));
    expect(await caller.usage()).toMatchObject({ requests: 1, unaccounted_attempts: 0 });
  });

  test("gives the output of a registered schema", async () => {
    const caller = await newCaller(stage);
    const { body } = await deferred(caller, "/chat", {
      schema: "sentiment",
      metadata: { order: "7" },
      messages: userMessage(`I love this! ${unique()}`),
    });
    expect(body).toMatchObject({ schema: "sentiment", metadata: { order: "7" } });
    expect(await caller.finished(body.id)).toMatchObject({
      status: "succeeded",
      schema: "sentiment",
      metadata: { order: "7" },
      output: { sentiment: "positive" },
    });
  });

  test("keeps an answer larger than a DynamoDB item whole", async () => {
    const caller = await newCaller(stage);
    const { body } = await deferred(caller, "/chat", {
      messages: userMessage(`[[fault:long bytes=400000]] ${unique()}`),
    });
    const { status, content } = await caller.finished(body.id);
    expect(status).toBe("succeeded");
    expect(content?.length).toBeGreaterThan(400_000);
  });

  test("looks at images: inline ones, and uploads", async () => {
    const caller = await newCaller(stage);
    const inline = await deferred(caller, "/vision", {
      schema: "image_sentiment",
      prompt: unique(),
      images: [{ data: (await picture("png", 80, 60)).toString("base64") }],
    });
    expect(inline.status).toBe(202);
    expect(inline.body.image).toMatchObject({ format: "png", width: 80, height: 60 });
    const announced = await caller.send<{ id: string }>("POST", "/uploads", { content_type: "image/jpeg" });
    await caller.putImage(announced.body.id, await picture("jpeg", 90, 70));
    await caller.finished(announced.body.id);
    const uploaded = await deferred(caller, "/vision", { prompt: unique(), images: [{ upload: announced.body.id }] });
    expect(await caller.finished(inline.body.id)).toMatchObject({
      kind: "vision",
      status: "succeeded",
      output: { sentiment: expect.any(String) },
    });
    expect(await caller.finished(uploaded.body.id)).toMatchObject({
      kind: "vision",
      status: "succeeded",
      image: { key: `uploads/${caller.owner}/${announced.body.id}`, format: "jpeg", width: 90 },
    });
  });

  test("keeps the request no longer than the work takes", async () => {
    const caller = await newCaller(stage);
    const { body } = await deferred(caller, "/chat", { messages: userMessage(`[[fault:slow ms=1500]] ${unique()}`) });
    expect(await waitingRequests(caller)).toEqual([expect.stringMatching(`requests/${caller.owner}/${body.id}/.+`)]);
    await caller.finished(body.id);
    await noneWait(caller);
  });

  test("is one preference among others, on one line or several", async () => {
    const caller = await newCaller(stage);
    const body = JSON.stringify({ messages: userMessage(unique()) });
    for (const prefer of ['handling=lenient, Respond-Async; note="a, b", wait=10', ["respond-async", "wait=10"]]) {
      const request = httpRequest(`${stage.api}/chat`, {
        method: "POST",
        headers: { authorization: `Bearer ${caller.apiKey}`, prefer },
      });
      request.end(body);
      const [response] = (await once(request, "response")) as [IncomingMessage];
      response.resume();
      expect(response.statusCode).toBe(202);
    }
    await caller.finishedResults(2);
  });

  test.each(["wait=10", "return=minimal", 'note="respond-async"', "respond-asynchronously"])(
    "any other preference is ignored: %s",
    async (prefer) => {
      const caller = await newCaller(stage);
      const answer = await caller.send<Result>("POST", "/chat", { messages: userMessage(unique()) }, { prefer });
      expect([answer.status, answer.body.status]).toEqual([200, "succeeded"]);
      expect(answer.headers.has("preference-applied")).toBe(false);
    },
  );

  test("is another owner's to neither read nor delete, and cannot be deleted while it runs", async () => {
    const [caller, stranger] = [await newCaller(stage), await newCaller(stage)];
    const { body } = await deferred(caller, "/chat", { messages: userMessage(`[[fault:slow ms=1500]] ${unique()}`) });
    expect((await stranger.send("GET", `/results/${body.id}`)).status).toBe(404);
    expect((await stranger.send("DELETE", `/results/${body.id}`)).status).toBe(404);
    expect((await caller.send("DELETE", `/results/${body.id}`)).status).toBe(409);
    await caller.finished(body.id);
    expect((await caller.send("DELETE", `/results/${body.id}`)).status).toBe(200);
  });
});

describe("a request that cannot succeed", () => {
  test.each<[string, string, unknown, number, string]>([
    ["no messages", "/chat", {}, 400, "invalid_request"],
    ["no JSON", "/chat", "{", 400, "invalid_request"],
    ["an unknown schema", "/chat", { schema: "nope", messages: userMessage("x") }, 400, "invalid_request"],
    [
      "a schema that strict mode refuses",
      "/chat",
      {
        messages: userMessage("x"),
        response_format: {
          type: "json_schema",
          json_schema: { name: "a", strict: true, schema: { type: "object", properties: { b: { type: "string" } } } },
        },
      },
      400,
      "invalid_schema",
    ],
    ["no image", "/vision", { images: [{ data: "AAAA" }] }, 400, "invalid_image"],
    ["an upload that is not there", "/vision", { images: [{ upload: `res_${"0".repeat(26)}` }] }, 404, "not_found"],
  ])("is refused at once, and nothing of it is kept: %s", async (_, path, body, status, code) => {
    const caller = await newCaller(stage);
    const answer = await deferred<ErrorBody>(caller, path, body);
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
    expect(await caller.results()).toEqual([]);
    expect(await waitingRequests(caller)).toEqual([]);
  });

  test("that only OpenAI can refuse ends as a failed result, which says why and was not billed", async () => {
    const caller = await newCaller(stage);
    const { status, body } = await deferred(caller, "/chat", { model: "gpt-nope", messages: userMessage(unique()) });
    expect(status).toBe(202);
    expect(await caller.finished(body.id)).toMatchObject({
      status: "failed",
      usage: null,
      error: { code: "model_not_found", param: "model", message: expect.stringMatching(/gpt-nope/) },
    });
    expect(await caller.usage()).toMatchObject({ requests: 1, failed: 1, total_tokens: 0, unaccounted_attempts: 0 });
    await noneWait(caller);
  });
});

describe("a passing failure", () => {
  test.each(["500 times=1", "429 retry_after=2 times=1", "insufficient_quota times=1"])(
    "brings the work back, which is billed once: %s",
    async (fault) => {
      const caller = await newCaller(stage);
      const { body } = await deferred(caller, "/chat", { messages: userMessage(`[[fault:${fault}]] ${unique()}`) });
      const result = await caller.finished(body.id);
      expect(result).toMatchObject({ status: "succeeded", error: null });
      expect(await caller.usage()).toMatchObject({
        requests: 1,
        failed: 0,
        total_tokens: result.usage?.total_tokens,
        unaccounted_attempts: 0,
      });
    },
  );

  test("is told while the work waits, and a rate limit keeps its message hidden as long as OpenAI asks", async () => {
    const caller = await newCaller(stage);
    const request = { messages: userMessage(`[[fault:429 retry_after=86400]] ${unique()}`) };
    const { body } = await deferred(caller, "/chat", request, { "idempotency-key": "k" });
    const waiting = await eventually(async () => {
      const { body: now } = await caller.send<Result>("GET", `/results/${body.id}`);
      return now.error ? now : null;
    });
    expect(waiting).toMatchObject({ status: "running", error: { code: "rate_limited" } });
    await eventually(async () => {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }),
      );
      return Attributes?.ApproximateNumberOfMessages === "0" ? true : null;
    });
    const again = await deferred(caller, "/chat", request, { "idempotency-key": "k" });
    expect([again.status, again.body.id]).toEqual([202, body.id]);
    expect(await waitingRequests(caller)).toHaveLength(1);
  });
});

describe("an Idempotency-Key", () => {
  const key = { "idempotency-key": "order-7" };

  test("replays the 202 while the work goes on, and the result once it is there", async () => {
    const caller = await newCaller(stage);
    const request = { messages: userMessage(`[[fault:slow ms=1500]] ${unique()}`) };
    const first = await deferred(caller, "/chat", request, key);
    const second = await deferred(caller, "/chat", request, key);
    expect([first.status, second.status, second.body.id]).toEqual([202, 202, first.body.id]);
    expect(second.headers.get("idempotent-replayed")).toBe("true");
    const result = await caller.finished(first.body.id);
    const third = await deferred(caller, "/chat", request, key);
    expect([third.status, third.body]).toEqual([200, result]);
    expect(third.headers.get("idempotent-replayed")).toBe("true");
    await noneWait(caller);
    expect(await caller.usage()).toMatchObject({ requests: 1, unaccounted_attempts: 0 });
  });

  test("joins those who wait and those who do not, in either order", async () => {
    const caller = await newCaller(stage);
    const request = { messages: userMessage(unique()) };
    const waited = await caller.send<Result>("POST", "/chat", request, key);
    expect((await deferred(caller, "/chat", request, key)).body).toEqual(waited.body);
    const later = { messages: userMessage(unique()) };
    const { body } = await deferred(caller, "/chat", later, { "idempotency-key": "order-8" });
    const result = await caller.finished(body.id);
    const replayed = await caller.send<Result>("POST", "/chat", later, { "idempotency-key": "order-8" });
    expect([replayed.status, replayed.body]).toEqual([200, result]);
    await noneWait(caller);
    expect(await caller.usage()).toMatchObject({ requests: 2, unaccounted_attempts: 0 });
  });

  test.each<[string, () => Promise<object>]>([
    ["/chat", async () => ({ messages: userMessage(unique()) })],
    ["/vision", async () => ({ prompt: unique(), images: [{ data: (await picture("png")).toString("base64") }] })],
  ])("belongs to one request, and what another asked is not kept: %s", async (path, request) => {
    const caller = await newCaller(stage);
    const { body } = await deferred(caller, path, await request(), key);
    const other = await deferred<ErrorBody>(caller, path, await request(), key);
    expect([other.status, other.body.error.code]).toEqual([409, "idempotency_mismatch"]);
    expect((await caller.finished(body.id)).status).toBe("succeeded");
    await noneWait(caller);
  });

  test("is in progress for one who would not wait, while one who waits is being answered", async () => {
    const caller = await newCaller(stage);
    const request = { messages: userMessage(`[[fault:slow ms=1500]] ${unique()}`) };
    const waiting = caller.send<Result>("POST", "/chat", request, key);
    await eventually(async () => ((await caller.results()).length === 1 ? true : null));
    const other = await deferred<ErrorBody>(caller, "/chat", request, key);
    expect([other.status, other.body.error.code]).toEqual([409, "in_progress"]);
    expect(Number(other.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await waiting).status).toBe(200);
    await noneWait(caller);
  });
});

describe("the queue", () => {
  test("may deliver a message many times: the work is done once", async () => {
    const caller = await newCaller(stage);
    const before = await billed(stage);
    const text = `[[fault:slow ms=1000]] ${unique()}`;
    const { body } = await deferred(caller, "/chat", { messages: userMessage(text) });
    const again = () => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: deferredMessage(body.id) }));
    await Promise.all([again(), again()]);
    const result = await caller.finished(body.id);
    await again();
    await noneWait(caller);
    const news = [...(await billed(stage)).keys()].filter((id) => !before.has(id));
    expect(news).toEqual([result.openai?.id]);
    expect(await caller.usage()).toMatchObject({ requests: 1, unaccounted_attempts: 0 });
  });
});

// What only a crash leaves behind, and what only the fifth receive sees: the same code, with a part of it held back.
describe("when a part fails", () => {
  const store = { dynamodb, tableName: stage.table, answers: createS3TextStore(s3, stage.bucket) };
  const deps = {
    store,
    requests: store.answers,
    images: createImageStore(s3, stage.bucket),
    upstream: createUpstream({
      apiKey: "sk-local",
      baseUrl: stage.openai,
      attemptTimeoutMs: 5_000,
      budgetMs: 5_000,
      maxAttempts: 1,
    }),
    prices: new Map(),
    settlementQueue: { send: () => Promise.reject(new Error("The table takes every settlement here.")) },
    defaultModel: "gpt-4o-mini",
    now: () => new Date(),
  };
  const nobodyComes: EnqueueDeps = { ...deps, queue: { send: async () => {} } };
  const ask = (
    caller: TestCaller,
    request: { messages: { role: "user"; content: string }[] },
    idempotencyKey: string | null = "k",
  ) =>
    chatJob(deps, request, {
      owner: caller.owner,
      key: { keyId: caller.keyId, ...unlimited },
      idempotencyKey,
      deadlineMs: Date.now() + 60_000,
    });
  const chatOf = (content: string) => ({ messages: [{ role: "user" as const, content }] });

  test("the message was never sent: the same request, made again, sends it", async () => {
    const caller = await newCaller(stage);
    const request = chatOf(unique());
    const { result } = await enqueue(nobodyComes, ask(caller, request), JSON.stringify(request));
    const again = await deferred(caller, "/chat", request, { "idempotency-key": "k" });
    expect([again.status, again.body.id]).toEqual([202, result.id]);
    expect(await caller.finished(result.id)).toMatchObject({ status: "succeeded" });
    await noneWait(caller);
    expect(await caller.usage()).toMatchObject({ requests: 1, unaccounted_attempts: 0 });
  });

  test("the message was never sent: the same request, by one who waits, is answered", async () => {
    const caller = await newCaller(stage);
    const request = chatOf(unique());
    const { result } = await enqueue(nobodyComes, ask(caller, request), JSON.stringify(request));
    const answer = await caller.send<Result>("POST", "/chat", request, { "idempotency-key": "k" });
    expect([answer.status, answer.body.id, answer.body.status]).toEqual([200, result.id, "succeeded"]);
    expect(await caller.usage()).toMatchObject({ requests: 1, unaccounted_attempts: 0 });
  });

  test("the message was never sent, and nobody asks again: the result expires, unless somebody takes it up", async () => {
    const caller = await newCaller(stage);
    const request = chatOf(unique());
    const { result } = await enqueue(nobodyComes, ask(caller, request), JSON.stringify(request));
    const expiresAt = async () => {
      const Key = { pk: `result#${result.id}`, sk: "result" };
      return (await dynamodb.send(new GetCommand({ TableName: stage.table, Key }))).Item?.expires_at;
    };
    expect(await expiresAt()).toBeGreaterThan(Date.now() / 1000 + 14 * 24 * 3600);
    await processRequest(deps, result.id, { deadlineMs: Date.now() + 60_000, lastChance: false });
    expect(await expiresAt()).toBeNull();
  });

  test("the queue takes no message: the caller hears of it, and nothing is left", async () => {
    const caller = await newCaller(stage);
    const request = chatOf(unique());
    const refusing = { ...deps, queue: { send: () => Promise.reject(new Error("no queue today")) } };
    await expect(enqueue(refusing, ask(caller, request, null), JSON.stringify(request))).rejects.toThrow(
      "no queue today",
    );
    expect(await caller.results()).toEqual([]);
    expect(await waitingRequests(caller)).toEqual([]);
  });

  test("the queue takes the message of one who asks, and not the one before: who was told 202 gets the result", async () => {
    const caller = await newCaller(stage);
    const request = chatOf(unique());
    let timeOut = () => {};
    const send = () => new Promise<never>((_, reject) => (timeOut = () => reject(new Error("no queue today"))));
    const first = enqueue({ ...deps, queue: { send } }, ask(caller, request), JSON.stringify(request)).catch(
      ({ message }) => message,
    );
    await eventually(async () => ((await caller.results()).length === 1 ? true : null));
    const second = await enqueue(nobodyComes, ask(caller, request), JSON.stringify(request));
    timeOut();
    expect(await first).toBe("no queue today");

    const options = { deadlineMs: Date.now() + 60_000, lastChance: false };
    expect(await processRequest(deps, second.result.id, options)).toMatchObject({ status: "succeeded" });
    expect(await caller.usage()).toMatchObject({ requests: 1, unaccounted_attempts: 0 });
  });

  test("the message arrives although its sending failed, and is being worked on: its request stays until that is done", async () => {
    const caller = await newCaller(stage);
    const request = chatOf(unique());
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const get = (key: string) => gate.then(() => store.answers.get(key));
    const options = { deadlineMs: Date.now() + 60_000, lastChance: false };
    let work: ReturnType<typeof processRequest> | undefined;
    const send = async (message: string) => {
      const id = resultIdOf(message);
      work = processRequest({ ...deps, requests: { ...store.answers, get } }, id, options);
      await eventually(async () => ((await readItem(store, id))?.lease_id === noLease ? null : true));
      throw new Error("timed out");
    };
    await expect(
      enqueue({ ...deps, queue: { send } }, ask(caller, request, null), JSON.stringify(request)),
    ).rejects.toThrow("timed out");
    goOn();
    expect(await work).toMatchObject({ status: "succeeded" });
    expect(await waitingRequests(caller)).toEqual([]);
  });

  test("the last receive fails too: so does the result, and its request is kept for a redrive", async () => {
    const caller = await newCaller(stage);
    const request = chatOf(`[[fault:500]] ${unique()}`);
    const { result } = await enqueue(nobodyComes, ask(caller, request), JSON.stringify(request));
    const options = { deadlineMs: Date.now() + 60_000 };
    await expect(processRequest(deps, result.id, { ...options, lastChance: false })).rejects.toMatchObject({
      code: "upstream_error",
      resultId: result.id,
    });
    expect((await caller.send<Result>("GET", `/results/${result.id}`)).body.status).toBe("running");
    await expect(processRequest(deps, result.id, { ...options, lastChance: true })).rejects.toMatchObject({
      code: "upstream_error",
    });
    expect(await caller.finished(result.id)).toMatchObject({ status: "failed", error: { code: "upstream_error" } });
    expect(await waitingRequests(caller)).toHaveLength(1);
    expect(await caller.usage()).toMatchObject({ requests: 1, failed: 1, unaccounted_attempts: 0 });
  });

  test("the message comes once more when the result was deleted: nothing is made anew", async () => {
    const caller = await newCaller(stage);
    const { body } = await deferred(caller, "/chat", { messages: userMessage(unique()) });
    await caller.finished(body.id);
    await caller.send("DELETE", `/results/${body.id}`);
    expect(await processRequest(deps, body.id, { deadlineMs: Date.now() + 60_000, lastChance: false })).toBeNull();
    expect(await caller.results()).toEqual([]);
    expect(await caller.usage()).toMatchObject({ requests: 1 });
  });

  test("the request is gone, as nothing but a hand in the bucket makes it: the result fails in the end", async () => {
    const caller = await newCaller(stage);
    const request = chatOf(unique());
    const { result } = await enqueue(nobodyComes, ask(caller, request), JSON.stringify(request));
    for (const key of await waitingRequests(caller)) await store.answers.remove(key);
    const options = { deadlineMs: Date.now() + 60_000, lastChance: true };
    await expect(processRequest(deps, result.id, options)).rejects.toMatchObject({ code: "internal" });
    expect(await caller.finished(result.id)).toMatchObject({ status: "failed", error: { code: "internal" } });
  });

  test("a result that failed for good may be asked for again, and is deferred anew", async () => {
    const caller = await newCaller(stage);
    const request = chatOf(`[[fault:500 times=1]] ${unique()}`);
    const { result } = await enqueue(nobodyComes, ask(caller, request), JSON.stringify(request));
    await expect(
      processRequest(deps, result.id, { deadlineMs: Date.now() + 60_000, lastChance: true }),
    ).rejects.toMatchObject({
      code: "upstream_error",
    });
    const again = await deferred(caller, "/chat", request, { "idempotency-key": "k" });
    expect([again.status, again.body.status, again.body.id]).toEqual([202, "running", result.id]);
    expect(await caller.finished(result.id)).toMatchObject({ status: "succeeded", error: null });
    // That of the failure is kept for a redrive, until the bucket forgets it.
    await eventually(async () => ((await waitingRequests(caller)).length === 1 ? true : null));
  });
});
