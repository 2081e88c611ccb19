import { randomUUID } from "node:crypto";
import { chatJob } from "@tollgate/core/chat/chat";
import { chatRequest } from "@tollgate/core/chat/schema";
import { parseRequest } from "@tollgate/core/request";
import { derivedResultId, newResultId } from "@tollgate/core/result/id";
import { perform } from "@tollgate/core/result/perform";
import { deleteResult, readItem, readResult } from "@tollgate/core/result/store";
import { analyseUpload } from "@tollgate/core/upload/analyse";
import { uploadKey } from "@tollgate/core/upload/key";
import type { UploadRequest } from "@tollgate/core/upload/schema";
import { createUpload } from "@tollgate/core/upload/upload";
import { describe, expect, test } from "vitest";
import { unlimited } from "../../../packages/core/src/key/limits.ts";
import { pngOf } from "../../unit/budget/picture.ts";
import { startAccount } from "../budget/account.ts";

const account = await startAccount();
const { budget, billedRequests } = account;

const bucket = "images";
const png = Buffer.from(pngOf(64, 64).split(",")[1] ?? "", "base64");
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
function newOwner(budgetNanoUsd = oneDollar, maxOutputTokens: number | null = null) {
  const owner = `t-${randomUUID()}`;
  const keyId = `key_${owner}`;
  const caller = {
    owner,
    key: { ...unlimited, keyId, budgetNanoUsd, maxOutputTokens },
    idempotencyKey: null,
    deadlineMs: Date.now() + 60_000,
  };
  const signForm = async () => ({ url: "", fields: {} });
  const uploadDeps = { store, signForm, bucket, defaultModel: deps.defaultModel, now: deps.now };
  return {
    owner,
    announce: async (request: Partial<UploadRequest> = {}) =>
      (await createUpload(uploadDeps, { content_type: "image/png", ...request }, caller)).id,
    spent: async () => (await budget(keyId)).spent_nano_usd,
  };
}

interface Arrival {
  lastChance?: boolean;
  metadata?: Record<string, string>;
  upstream?: typeof deps.upstream;
  bytes?: Uint8Array;
}

/** S3 tells of the n-th image under the key of `id`, which came by that id's form unless its metadata says otherwise. */
function analyse(owner: string, id: string, n: number, arrival: Arrival = {}) {
  const { lastChance = false, metadata = { announced: id }, upstream = deps.upstream, bytes = png } = arrival;
  const images = { get: async () => ({ bytes, metadata }), remove: async () => {} };
  const object = { bucket, key: uploadKey(owner, id), sizeBytes: bytes.length, etag: `e${n}`, sequencer: `0${n}` };
  return analyseUpload({ ...deps, upstream, images }, object, { deadlineMs: Date.now() + 60_000, lastChance });
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
    const { owner, announce } = newOwner(50 * oneDollar, 128_000);
    const prompt = `[[fault:long bytes=340000]] ${randomUUID()}`;
    const id = await announce({ model: "gpt-6-luna", prompt: prompt + "🎈".repeat(32_000 - prompt.length) });
    const analysed = await analyse(owner, id, 1);
    expect(analysed?.result.status).toBe("succeeded");
    expect((await readResult(store, id))?.answer).toBe(analysed?.result.answer);
    expect(large.size).toBe(1);
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
