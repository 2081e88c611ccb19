import { randomUUID } from "node:crypto";
import { chatJob } from "@tollgate/core/chat/chat";
import { chatRequest } from "@tollgate/core/chat/schema";
import { perform } from "@tollgate/core/completion/run";
import { deleteResult } from "@tollgate/core/result/delete";
import { derivedResultId, newResultId } from "@tollgate/core/result/id";
import { readItem, readResult } from "@tollgate/core/result/store";
import { analyseUpload } from "@tollgate/core/upload/analyse";
import { uploadKey } from "@tollgate/core/upload/key";
import type { UploadRequest } from "@tollgate/core/upload/schema";
import { createUpload } from "@tollgate/core/upload/upload";
import { parseRequest } from "@tollgate/core/validation/request";
import { describe, expect, test } from "vitest";
import { newApiKey } from "../../../packages/core/src/key/key.ts";
import { type KeyLimits, unlimited } from "../../../packages/core/src/key/limits.ts";
import { addKey, limitsOf, revokeKey } from "../../../packages/core/src/key/store.ts";
import { pngOf } from "../../unit/budget/picture.ts";
import { startAccount } from "../budget/account.ts";

const account = await startAccount();
const { budget, billedRequests } = account;

const bucket = "images";
const pngOfHeight = (height: number) => Buffer.from(pngOf(64, height).split(",")[1] ?? "", "base64");
const png = pngOfHeight(64);
/** Answers too large for the table, by their keys. */
const large = new Map<string, string>();
const answers = {
  put: async (key: string, text: string) => void large.set(key, text),
  get: async (key: string) => large.get(key) ?? Promise.reject(new Error(`No answer lies under ${key}.`)),
  remove: async (key: string) => void large.delete(key),
};
const deps = { ...account.deps, store: { ...account.deps.store, answers }, defaultModel: "gpt-4o-mini" };
const { store } = deps;

const oneDollar = 1_000_000_000;

/** An owner with a key of its own, who announces uploads. */
function newOwner(limits: Partial<KeyLimits> = {}) {
  const owner = `t-${randomUUID()}`;
  const added = addKey(store, newApiKey(), owner, deps.now(), { ...unlimited, budgetNanoUsd: oneDollar, ...limits });
  const caller = async () => ({
    owner,
    key: limitsOf(await added),
    idempotencyKey: null,
    deadlineMs: Date.now() + 60_000,
  });
  const signForm = async () => ({ url: "", fields: {} });
  const uploadDeps = { store, signForm, bucket, defaultModel: deps.defaultModel, now: deps.now };
  return {
    owner,
    announce: async (request: Partial<UploadRequest> = {}) =>
      (await createUpload(uploadDeps, { content_type: "image/png", ...request }, await caller())).id,
    revoke: async () => revokeKey(store, (await added).key_id, deps.now()),
    spent: async () => (await budget((await added).key_id)).spent_nano_usd,
  };
}

interface Arrival {
  lastChance?: boolean;
  metadata?: Record<string, string>;
  upstream?: typeof deps.upstream;
  bytes?: Uint8Array;
  deps?: typeof deps;
}

/**
 * S3 tells of the n-th writing of the key of `id`, which came by that id's form unless its metadata says otherwise. Each is another
 * image unless its bytes are given.
 */
function analyse(owner: string, id: string, n: number, arrival: Arrival = {}) {
  const {
    lastChance = false,
    metadata = { announced: id },
    upstream = deps.upstream,
    bytes = pngOfHeight(n),
  } = arrival;
  const images = { get: async () => ({ bytes, metadata }), remove: async () => {} };
  const object = { bucket, key: uploadKey(owner, id), sizeBytes: bytes.length, etag: `e${n}`, sequencer: `0${n}` };
  return analyseUpload({ ...(arrival.deps ?? deps), upstream, images }, object, {
    deadlineMs: Date.now() + 60_000,
    lastChance,
  });
}

async function remove(id: string): Promise<void> {
  const item = await readItem(store, id);
  if (!item || !(await deleteResult(store, { remove: async () => {} }, item, deps.now())))
    throw new Error(`${id} cannot be deleted.`);
}

const asked = { schema: "image_sentiment", model: "gpt-4o" };

describe("what an upload was announced with", () => {
  test("holds when its dead letter is sent back", async () => {
    const { owner, announce, spent } = newOwner();
    const id = await announce({ ...asked, prompt: `[[fault:429 times=1]] ${randomUUID()}` });
    await expect(analyse(owner, id, 1, { lastChance: true })).rejects.toMatchObject({ code: "rate_limited" });
    expect((await readResult(store, id))?.status).toBe("failed");

    const redriven = await analyse(owner, id, 1);
    expect(redriven?.result).toMatchObject({ id, status: "succeeded", schema: asked.schema });
    expect(redriven?.result.model).toMatch(/^gpt-4o-2/);
    expect(await spent()).toBe(redriven?.result.costNanoUsd);
  });

  test("holds for every image that comes by its form", async () => {
    const { owner, announce, spent } = newOwner();
    const metadata = { order: "7" };
    const id = await announce({ ...asked, metadata });
    let costs = 0;
    for (const n of [1, 2, 3]) {
      const analysed = await analyse(owner, id, n);
      expect(analysed?.result).toMatchObject({ status: "succeeded", schema: asked.schema, metadata });
      costs += analysed?.result.costNanoUsd ?? Number.NaN;
      expect(await spent()).toBe(costs);
    }
  });

  test("holds for a second image that waits for its turn while the announced result is deleted", async () => {
    const { owner, announce, spent } = newOwner();
    const id = await announce(asked);
    const first = await analyse(owner, id, 1);
    const upstream = { ...deps.upstream, complete: () => Promise.reject(new Error("OpenAI is away.")) };
    await expect(analyse(owner, id, 2, { upstream })).rejects.toMatchObject({ code: "internal" });
    await remove(id);

    const again = await analyse(owner, id, 2);
    expect(again?.result).toMatchObject({ status: "succeeded", schema: asked.schema });
    expect(await spent()).toBe((first?.result.costNanoUsd ?? 0) + (again?.result.costNanoUsd ?? 0));
  });

  test("leaves room for an answer beside the longest prompt, which lie in one item", async () => {
    const { owner, announce } = newOwner({ budgetNanoUsd: 50 * oneDollar, maxOutputTokens: 128_000 });
    const prompt = `[[fault:long bytes=340000]] ${randomUUID()}`;
    const id = await announce({ model: "gpt-6-luna", prompt: prompt + "🎈".repeat(32_000 - prompt.length) });
    const analysed = await analyse(owner, id, 1);
    expect(analysed?.result.status).toBe("succeeded");
    expect((await readResult(store, id))?.answer).toBe(analysed?.result.answer);
    expect(large.size).toBe(1);
  });
});

describe("a form of a key that has been revoked since", () => {
  test.each([
    ["brings no first image to OpenAI", 0],
    ["brings no second image to OpenAI", 1],
  ])("%s", async (_, before) => {
    const { owner, announce, revoke, spent } = newOwner();
    const id = await announce();
    for (let n = 1; n <= before; n++) await analyse(owner, id, n);
    await revoke();
    const billedBefore = [await billedRequests(), await spent()];
    const late = await analyse(owner, id, 7).catch((error) => error);
    expect(late).toMatchObject({
      code: "invalid_api_key",
      retryable: false,
      message: expect.stringMatching(/revoked/),
    });
    expect(await readResult(store, late.resultId)).toMatchObject({ owner, status: "failed", usage: null });
    expect([await billedRequests(), await spent()]).toEqual(billedBefore);
  });

  test("does not even replay what it brought before", async () => {
    const { owner, announce, revoke } = newOwner();
    const id = await announce();
    await analyse(owner, id, 1, { bytes: png });
    await revoke();
    await expect(analyse(owner, id, 2, { bytes: png })).rejects.toMatchObject({ code: "invalid_api_key" });
  });
});

describe("a key's requests a minute", () => {
  const aMinuteLater = { ...deps, now: () => new Date(Date.now() + 61_000) };

  test("count a form with its first image as one, and each later image as one more, which waits beyond them", async () => {
    const { owner, announce } = newOwner({ rpm: 3 });
    const id = await announce();
    for (const n of [1, 2, 3]) expect((await analyse(owner, id, n))?.result.status).toBe("succeeded");
    const billedBefore = await billedRequests();
    await expect(analyse(owner, id, 4)).rejects.toMatchObject({
      code: "rate_limited",
      retryable: true,
      retryAfterSeconds: expect.any(Number),
    });
    expect(await billedRequests()).toBe(billedBefore);
    expect((await analyse(owner, id, 4, { deps: aMinuteLater }))?.result.status).toBe("succeeded");
  });

  test("do not count an image that is written again", async () => {
    const { owner, announce } = newOwner({ rpm: 1 });
    const id = await announce();
    for (const n of [1, 2, 3]) expect((await analyse(owner, id, n, { bytes: png }))?.result.id).toBe(id);
  });
});

test.each([
  ["fails", Buffer.from("no image")],
  ["succeeds", png],
])("an announced result that %s says which object it is about", async (_, bytes) => {
  const { owner, announce } = newOwner();
  const id = await announce();
  await analyse(owner, id, 1, { bytes }).catch(() => {});
  await analyse(owner, id, 2);
  expect((await readItem(store, id))?.result.image).toMatchObject({ etag: "e1", sizeBytes: bytes.length });
});

describe("an image whose announced result was deleted", () => {
  test.each([
    ["before any image came", []],
    ["after another image had become it", [1]],
  ])("%s fails, is not asked about and costs nothing", async (_, before) => {
    const { owner, announce, spent } = newOwner();
    const id = await announce();
    for (const n of before) await analyse(owner, id, n);
    await remove(id);
    const billedBefore = [await billedRequests(), await spent()];

    const late = await analyse(owner, id, 7).catch((error) => error);
    expect(late).toMatchObject({ code: "not_found", message: expect.stringMatching(/announced result was deleted/) });
    expect(late.resultId).not.toBe(id);
    expect(await readResult(store, late.resultId)).toMatchObject({ owner, status: "failed", usage: null });
    expect(await readItem(store, id)).toBeNull();
    expect([await billedRequests(), await spent()]).toEqual(billedBefore);
  });
});

describe("a key that ends in an id which nobody announced", () => {
  const plain = { metadata: {} };

  test("is like any other", async () => {
    const { owner } = newOwner();
    const id = newResultId();
    const analysed = await analyse(owner, id, 1, plain);
    expect(analysed?.result).toMatchObject({ owner, status: "succeeded", schema: "image_description" });
    expect(analysed?.result.id).not.toBe(id);
    expect(await readItem(store, id)).toBeNull();
  });

  test("may carry the metadata of another's announced object, as a copy does", async () => {
    const { owner, announce } = newOwner();
    const metadata = { announced: await announce() };
    const copy = await analyse(owner, newResultId(), 1, { metadata });
    expect(copy?.result.status).toBe("succeeded");
  });

  test("takes from nobody the result that an Idempotency-Key stands for", async () => {
    const { owner: victim } = newOwner();
    const { owner: other } = newOwner();
    await analyse(other, derivedResultId("chat", victim, "order-1"), 1, plain);
    const body = parseRequest(chatRequest, { messages: [{ role: "user", content: "Hello" }] });
    const caller = {
      owner: victim,
      key: { ...unlimited, keyId: "key_v" },
      idempotencyKey: "order-1",
      deadlineMs: Date.now() + 60_000,
    };
    const { result } = await perform(deps, chatJob(deps, body, caller));
    expect(result).toMatchObject({ owner: victim, status: "succeeded" });
  });
});

describe("an image that is written again under its key", () => {
  const settings = { prompt: "What is this?", detail: "low", model: "gpt-4o", schema: "image_sentiment" };
  const again = { bytes: png, metadata: settings };
  /** A key of a plain S3 client. */
  const newKey = () => ({ owner: newOwner().owner, id: `${randomUUID()}.png` });
  const idOf = ({ owner, id }: { owner: string; id: string }, n: number) =>
    derivedResultId("s3", bucket, uploadKey(owner, id), `0${n}`);

  test("with the same bytes and settings is the result that it was, and costs nothing", async () => {
    const key = newKey();
    const first = await analyse(key.owner, key.id, 1, again);
    const billedBefore = await billedRequests();
    for (const n of [2, 3]) {
      expect(await analyse(key.owner, key.id, n, again)).toMatchObject({
        result: { id: first?.result.id, answer: first?.result.answer },
        replayed: true,
      });
      expect(await readItem(store, idOf(key, n))).toBeNull();
    }
    expect(await billedRequests()).toBe(billedBefore);
  });

  test("by the same form is the announced result, and costs nothing", async () => {
    const { owner, announce, spent } = newOwner();
    const id = await announce(asked);
    const first = await analyse(owner, id, 1, { bytes: png });
    expect(first?.result.id).toBe(id);
    expect(await analyse(owner, id, 2, { bytes: png })).toMatchObject({ result: { id }, replayed: true });
    expect(await spent()).toBe(first?.result.costNanoUsd);
  });

  test.each<[string, Arrival]>([
    ["other bytes", { bytes: pngOfHeight(65) }],
    ["another prompt", { metadata: { ...settings, prompt: "What is that?" } }],
    ["another detail", { metadata: { ...settings, detail: "high" } }],
    ["another model", { metadata: { ...settings, model: "gpt-4o-mini" } }],
    ["another schema", { metadata: { ...settings, schema: "receipt" } }],
  ])("with %s is new work, and the first is still known", async (_, change) => {
    const { owner, id } = newKey();
    const first = await analyse(owner, id, 1, again);
    const other = await analyse(owner, id, 2, { ...again, ...change });
    expect(other).toMatchObject({ result: { status: "succeeded" }, replayed: false });
    expect(other?.result.id).not.toBe(first?.result.id);
    expect((await analyse(owner, id, 3, again))?.result.id).toBe(first?.result.id);
  });

  test("is new work for a stage whose default model is another by now", async () => {
    const { owner, id } = newKey();
    const object = { bucket, key: uploadKey(owner, id), sizeBytes: png.length, etag: "e1" };
    const images = { get: async () => ({ bytes: png, metadata: {} }), remove: async () => {} };
    const models = [];
    for (const [sequencer, defaultModel] of [
      ["01", "gpt-4o-mini"],
      ["02", "gpt-4o"],
    ] as const) {
      const options = { deadlineMs: Date.now() + 60_000, lastChance: false };
      const analysed = await analyseUpload({ ...deps, images, defaultModel }, { ...object, sequencer }, options);
      models.push(analysed?.result.model);
    }
    expect(models).toEqual(["gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06"]);
  });

  test("under another key, or another owner's, is new work", async () => {
    const [a, b] = [newKey(), newKey()];
    const ids = [];
    for (const [owner, id] of [
      [a.owner, a.id],
      [a.owner, b.id],
      [b.owner, a.id],
    ] as const)
      ids.push((await analyse(owner, id, 1, again))?.result.id);
    expect(new Set(ids).size).toBe(3);
  });

  test("comes back while the first is at work, and then is the first's result", async () => {
    const { owner, id } = newKey();
    const billedBefore = await billedRequests();
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map((n) => analyse(owner, id, n, again)));
    const failed = outcomes.flatMap((it) => (it.status === "rejected" ? [it.reason] : []));
    for (const error of failed) expect(error).toMatchObject({ code: "in_progress", retryable: true });
    const ids = [];
    for (const n of [1, 2, 3, 4]) ids.push((await analyse(owner, id, n, again))?.result.id);
    expect(new Set(ids).size).toBe(1);
    expect(await billedRequests()).toBe(billedBefore + 1);
  });

  test("is tried again when the first failed and nothing was paid", async () => {
    const { owner, id } = newKey();
    const upstream = { ...deps.upstream, complete: () => Promise.reject(new Error("OpenAI is away.")) };
    const first = await analyse(owner, id, 1, { ...again, upstream, lastChance: true }).catch((error) => error);
    expect(await readResult(store, first.resultId)).toMatchObject({ status: "failed", usage: null });
    expect(await analyse(owner, id, 2, again)).toMatchObject({ result: { status: "succeeded" }, replayed: false });
  });

  test("fails as the first did, when that was paid for", async () => {
    const { owner, id } = newKey();
    const metadata = { prompt: `[[fault:off_schema]] ${randomUUID()}` };
    const first = await analyse(owner, id, 1, { bytes: png, metadata }).catch((error) => error);
    const billedBefore = await billedRequests();
    const second = await analyse(owner, id, 2, { bytes: png, metadata }).catch((error) => error);
    expect(first).toMatchObject({ code: "invalid_output" });
    expect(second).toMatchObject({ code: "invalid_output", resultId: first.resultId });
    expect(await billedRequests()).toBe(billedBefore);
  });

  test("is analysed anew when the first's result was deleted", async () => {
    const { owner, id } = newKey();
    const first = await analyse(owner, id, 1, again);
    await remove(first?.result.id ?? "");
    const second = await analyse(owner, id, 2, again);
    expect(second).toMatchObject({ result: { status: "succeeded" }, replayed: false });
    expect((await analyse(owner, id, 3, again))?.result.id).toBe(second?.result.id);
  });

  test("goes away with the first's result, as the object that lies there now", async () => {
    const { owner, id } = newKey();
    const first = await analyse(owner, id, 1, again);
    await analyse(owner, id, 2, again);
    const item = (await readItem(store, first?.result.id ?? "")) ?? expect.fail("The result is gone.");
    const removed: unknown[] = [];
    await deleteResult(store, { remove: async (...object) => void removed.push(object) }, item, deps.now());
    expect(removed).toEqual([[uploadKey(owner, id), { etag: "e2" }]]);
  });

  test("goes on with an attempt that died after it had begun", async () => {
    const { owner, id } = newKey();
    const dies = { ...deps.upstream, complete: () => new Promise<never>(() => {}) };
    void analyse(owner, id, 1, { ...again, upstream: dies });
    await expect.poll(async () => (await readItem(store, idOf({ owner, id }, 1)))?.result.status).toBe("running");
    const later = { ...deps, now: () => new Date(Date.now() + 60_000) };
    const images = { get: async () => ({ bytes: png, metadata: settings }), remove: async () => {} };
    const object = { bucket, key: uploadKey(owner, id), sizeBytes: png.length, etag: "e1", sequencer: "01" };
    const taken = await analyseUpload({ ...later, images }, object, {
      deadlineMs: Date.now() + 120_000,
      lastChance: false,
    });
    expect(taken).toMatchObject({ result: { id: idOf({ owner, id }, 1), status: "succeeded" }, replayed: false });
  });
});

describe("an image that S3 refuses to give", () => {
  const refused = Object.assign(new Error("Access Denied"), { name: "AccessDenied" });
  const images = { get: () => Promise.reject(refused), remove: () => Promise.reject(refused) };

  test("comes back, fails at its last receive, and succeeds when its dead letter is sent back", async () => {
    const { owner, announce } = newOwner();
    const id = await announce();
    const object = { bucket, key: uploadKey(owner, id), sizeBytes: png.length, etag: "e1", sequencer: "01" };
    const receive = (lastChance: boolean) =>
      analyseUpload({ ...deps, images }, object, { deadlineMs: Date.now() + 60_000, lastChance });
    const failure = { code: "internal", retryable: true, resultId: id };
    await expect(receive(false)).rejects.toMatchObject(failure);
    expect((await readItem(store, id))?.result.status).toBe("running");
    await expect(receive(true)).rejects.toMatchObject(failure);
    expect(await readResult(store, id)).toMatchObject({ status: "failed", usage: null, error: { code: "internal" } });
    expect((await analyse(owner, id, 1))?.result).toMatchObject({ id, status: "succeeded" });
  });

  test("keeps its result when it cannot be deleted", async () => {
    const { owner, announce } = newOwner();
    const id = await announce();
    await analyse(owner, id, 1);
    const item = (await readItem(store, id)) ?? expect.fail("The result is gone.");
    await expect(deleteResult(store, images, item, deps.now())).rejects.toThrow("Access Denied");
    expect((await readResult(store, id))?.status).toBe("succeeded");
  });
});
