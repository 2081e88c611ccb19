import { chatJob } from "@tollgate/core/chat/chat";
import { deferredMessage, enqueue } from "@tollgate/core/completion/enqueue";
import { processRequest } from "@tollgate/core/deferred/process";
import { AppError } from "@tollgate/core/error";
import { newApiKey } from "@tollgate/core/key/key";
import { addKey, limitsOf, revokeKey } from "@tollgate/core/key/store";
import { UpstreamFailure } from "@tollgate/core/openai/retry";
import { leaseMs } from "@tollgate/core/result/claim";
import { waitingTtlMs } from "@tollgate/core/result/item";
import { readItem, readResult } from "@tollgate/core/result/store";
import { sweep } from "@tollgate/core/result/sweep";
import { describe, expect, it } from "vitest";
import { startAccount } from "../budget/account.ts";
import { countersOf, problemsOf } from "./ledger.ts";

const { deps } = await startAccount();
const { store } = deps;
const hours = 3600 * 1000;
const graceMs = { http: 60_000, queue: 3 * hours };
const newKey = async () => limitsOf(await addKey(store, newApiKey(), "acme", new Date()));
const anyKey = await newKey();
const request = { messages: [{ role: "user" as const, content: "Hello" }] };

/** Requests with `Prefer: respond-async` under one Idempotency-Key, and a queue that only writes down what it is sent. */
function stageOf(owner: string, key = anyKey) {
  const texts = new Map<string, string>();
  const requests = {
    put: async (key: string, text: string) => void texts.set(key, text),
    get: async (key: string) => texts.get(key) ?? Promise.reject(new Error("There is no such object.")),
    remove: async (key: string) => void texts.delete(key),
  };
  const sent: string[] = [];
  const queue = { send: async (message: string) => void sent.push(message) };
  const caller = {
    owner,
    key,
    idempotencyKey: "k",
    deadlineMs: Date.now() + 60_000,
  };
  const chat = { ...deps, images: { get: async () => null }, defaultModel: "gpt-4o-mini", requests };
  const at = (afterMs: number) => () => new Date(Date.now() + afterMs);
  return {
    sent,
    ask: (afterMs = 0) =>
      enqueue({ store, requests, queue, now: at(afterMs) }, chatJob(chat, request, caller), JSON.stringify(request)),
    /** What the worker does with its message; with `failure`, when OpenAI does not answer. */
    receive(resultId: string, { afterMs = 0, failure = null as UpstreamFailure | null, lastChance = false } = {}) {
      const complete = failure ? () => Promise.reject(failure) : deps.upstream.complete;
      const now = at(afterMs);
      const options = { deadlineMs: now().getTime() + 60_000, lastChance };
      return processRequest({ ...chat, now, upstream: { ...deps.upstream, complete } }, resultId, options);
    },
    sweep: (afterMs: number) => sweep({ store, now: at(afterMs), graceMs }),
  };
}

/** It may have been billed. */
const noAnswer = () =>
  new UpstreamFailure(new AppError("upstream_timeout", "No answer."), { attempts: 1, possiblyBilledAttempts: 1 });
const unbilled = () =>
  new UpstreamFailure(new AppError("upstream_error", "500."), { attempts: 1, possiblyBilledAttempts: 0 });

describe("a deferred result whose key has been revoked since", () => {
  it.each([
    ["before the first receive", false],
    ["between two receives", true],
  ])("%s fails, and OpenAI is asked no more", async (_, isGivenBack) => {
    const key = await newKey();
    const { ask, receive } = stageOf(`revoked-${isGivenBack}`, key);
    const { result } = await ask();
    if (isGivenBack) await expect(receive(result.id, { failure: unbilled() })).rejects.toBeInstanceOf(AppError);
    await revokeKey(store, key.keyId, new Date());
    const failure = new UpstreamFailure(new AppError("internal", "OpenAI was asked."), {
      attempts: 1,
      possiblyBilledAttempts: 0,
    });
    expect(await receive(result.id, { failure })).toMatchObject({
      status: "failed",
      usage: null,
      error: { code: "invalid_api_key", message: expect.stringMatching(/revoked/) },
    });
    expect(await countersOf(deps, `revoked-${isGivenBack}`)).toMatchObject({ requests: 1, failed: 1, total_tokens: 0 });
  });
});

describe("a deferred result that was given back", () => {
  it("has a message that waits for the next receive: asking again sends none, until no queue would hide it any more", async () => {
    const { ask, receive, sent } = stageOf("hidden");
    const { result } = await ask();
    await expect(receive(result.id, { failure: noAnswer() })).rejects.toMatchObject({ code: "upstream_timeout" });
    sent.length = 0;

    expect(await ask(11 * hours)).toMatchObject({ result: { id: result.id, status: "running" }, replayed: true });
    expect(sent).toEqual([]);
    expect(await ask(13 * hours)).toMatchObject({ result: { id: result.id, status: "running" }, replayed: true });
    expect(sent).toEqual([deferredMessage(result.id)]);
    expect(await receive(result.id)).toMatchObject({ status: "succeeded" });
    expect(await countersOf(deps, "hidden")).toMatchObject({ requests: 1, failed: 0, unaccounted_attempts: 1 });
  });

  it("and that no receive has reached since is ended by the sweep, its attempt counted once", async () => {
    const { ask, receive, sweep } = stageOf("forgotten");
    const { result } = await ask();
    await expect(receive(result.id, { failure: noAnswer() })).rejects.toMatchObject({ code: "upstream_timeout" });
    expect(await sweep(waitingTtlMs)).toEqual([]);
    expect(await countersOf(deps, "forgotten")).toMatchObject({ requests: 0 });

    const inTheEndMs = waitingTtlMs + leaseMs + graceMs.queue;
    expect(await sweep(inTheEndMs)).toEqual([result.id]);
    expect(await readResult(store, result.id)).toMatchObject({ status: "failed", error: { code: "internal" } });
    expect(await countersOf(deps, "forgotten")).toMatchObject({ requests: 1, failed: 1, unaccounted_attempts: 1 });
    expect(await sweep(inTheEndMs)).toEqual([]);
    expect(await problemsOf(deps)).toEqual([]);
  });
});

describe("a deferred result that nobody has begun", () => {
  it("is new once it is past its time, whether or not DynamoDB has deleted it", async () => {
    const { ask, receive, sent } = stageOf("expired");
    const { result } = await ask();
    const afterMs = waitingTtlMs + hours;
    expect(await receive(result.id, { afterMs })).toBeNull();
    sent.length = 0;

    const again = await ask(afterMs);
    expect(again).toMatchObject({ result: { id: result.id, status: "running" }, replayed: false });
    expect(again.result.createdAt > result.createdAt).toBe(true);
    expect(sent).toEqual([deferredMessage(result.id)]);
    expect(await receive(result.id, { afterMs })).toMatchObject({ status: "succeeded" });
    expect(await countersOf(deps, "expired")).toMatchObject({ requests: 1, unaccounted_attempts: 0 });
  });

  it("is ended by the sweep when it had failed before, so that what it has counted stays on a result", async () => {
    const { ask, receive, sweep } = stageOf("anew");
    const { result } = await ask();
    const lastReceive = receive(result.id, { failure: unbilled(), lastChance: true });
    await expect(lastReceive).rejects.toMatchObject({ code: "upstream_error" });
    expect(await ask()).toMatchObject({ result: { id: result.id, status: "running" }, replayed: false });
    expect((await readItem(store, result.id))?.expires_at).toBeUndefined();

    expect(await sweep(waitingTtlMs + graceMs.queue + leaseMs)).toEqual([result.id]);
    expect(await countersOf(deps, "anew")).toMatchObject({ requests: 2, failed: 2, unaccounted_attempts: 0 });
    expect(await problemsOf(deps)).toEqual([]);
  });
});
