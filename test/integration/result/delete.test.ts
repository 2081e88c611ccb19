import { perform } from "@tollgate/core/completion/run";
import { deleteResult } from "@tollgate/core/result/delete";
import { newResultId } from "@tollgate/core/result/id";
import { readItem } from "@tollgate/core/result/store";
import { expect, test } from "vitest";
import { jobOf, startAccount } from "../budget/account.ts";

const { deps } = await startAccount();

/** An S3 that fails at its first call. */
function failingOnce() {
  const removed: string[] = [];
  let calls = 0;
  const remove = async (key: string, options: { etag?: string | undefined } = {}) => {
    if (calls++ === 0) throw new Error("S3 is down.");
    removed.push(JSON.stringify([key, options.etag]));
  };
  return { removed, remove };
}

const noStore = { put: () => Promise.reject(), get: () => Promise.reject() };

test("a deletion that breaks off before the image is gone can be repeated", async () => {
  const { removed, remove } = failingOnce();
  const id = newResultId();
  const image = {
    bucket: "b",
    key: "uploads/acme/a",
    format: null,
    width: null,
    height: null,
    sizeBytes: 1,
    etag: "e",
  };
  await perform(deps, { ...jobOf("key_image", 0), id, source: "s3", image, key: null });
  const item = async () => (await readItem(deps.store, id)) ?? expect.fail("The result is gone.");

  await expect(deleteResult(deps.store, { remove }, await item(), new Date())).rejects.toThrow("S3 is down.");
  expect(await deleteResult(deps.store, { remove }, await item(), new Date())).toBe(true);
  expect(removed).toEqual(['["uploads/acme/a","e"]']);
  expect(await readItem(deps.store, id)).toBeNull();
});

test("a deletion that breaks off before the answer is gone can be repeated", async () => {
  const { removed, remove } = failingOnce();
  const put: string[] = [];
  const answers = { ...noStore, put: async (key: string) => void put.push(key), remove };
  const store = { ...deps.store, answers };
  const id = newResultId();
  const messages = [{ role: "user" as const, content: "[[fault:long bytes=400000]]" }];
  const prepare = () => ({ params: { model: "gpt-4o-mini", messages }, format: { type: "text" as const } });
  await perform({ ...deps, store }, { ...jobOf("key_answer", 0), id, key: null, prepare });
  const item = async () => (await readItem(store, id)) ?? expect.fail("The result is gone.");

  await expect(deleteResult(store, noImages, await item(), new Date())).rejects.toThrow("S3 is down.");
  expect(await deleteResult(store, noImages, await item(), new Date())).toBe(true);
  expect(removed).toEqual(put.map((key) => JSON.stringify([key, undefined])));
  expect(await readItem(store, id)).toBeNull();
});

const noImages = { remove: () => Promise.reject(new Error("No image was uploaded here.")) };
