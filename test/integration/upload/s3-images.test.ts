import { randomBytes } from "node:crypto";
import { createImageStore } from "@tollgate/core/upload/s3-images";
import { maxImageBytes } from "@tollgate/core/vision/image";
import { expect, test } from "vitest";
import { allow, functionPrincipal } from "../aws/fixtures.ts";
import { bucket, startObjects } from "../aws/s3-fixtures.ts";

async function startImages() {
  const s3 = await startObjects();
  return { ...s3, images: createImageStore(s3.client, bucket) };
}

test("gives an image's bytes and what its uploader said of it", async () => {
  const { images, put } = await startImages();
  const bytes = randomBytes(1_000_003);
  await put("uploads/acme/cat.png", bytes, { Metadata: { prompt: "What is this?" } });
  const stored = await images.get("uploads/acme/cat.png");
  expect(Buffer.compare(stored?.bytes ?? Buffer.alloc(0), bytes)).toBe(0);
  expect(stored?.metadata).toEqual({ prompt: "What is this?" });
  // In memory of its own, which is no larger than it.
  expect(stored?.bytes.buffer.byteLength).toBe(1_000_003);
});

test("gives no bytes of an empty object", async () => {
  const { images, put } = await startImages();
  await put("uploads/acme/empty.png", Buffer.alloc(0));
  expect((await images.get("uploads/acme/empty.png"))?.bytes).toHaveLength(0);
});

test("takes the largest image that OpenAI takes", async () => {
  const { images, put } = await startImages();
  await put("uploads/acme/large.png", Buffer.alloc(maxImageBytes, 1));
  expect((await images.get("uploads/acme/large.png"))?.bytes).toHaveLength(maxImageBytes);
});

test("refuses one that is larger, without reading it", async () => {
  const { images, put } = await startImages();
  await put("uploads/acme/huge.png", Buffer.alloc(maxImageBytes + 1));
  await expect(images.get("uploads/acme/huge.png")).rejects.toMatchObject({ code: "image_too_large" });
});

test("has none that is not there, or that has been replaced", async () => {
  const { images, put } = await startImages();
  const { ETag: etag } = await put("uploads/acme/cat.png", "first");
  expect(await images.get("uploads/acme/cat.png", { etag })).not.toBeNull();
  await put("uploads/acme/cat.png", "second");
  expect(await images.get("uploads/acme/cat.png", { etag })).toBeNull();
  expect(await images.get("uploads/acme/dog.png")).toBeNull();
});

test("removes an image only while it is the one that is meant", async () => {
  const { images, put } = await startImages();
  const { ETag: etag } = await put("uploads/acme/cat.png", "first");
  const { ETag: newer } = await put("uploads/acme/cat.png", "second");
  await images.remove("uploads/acme/cat.png", { etag });
  expect(await images.get("uploads/acme/cat.png")).not.toBeNull();
  await images.remove("uploads/acme/cat.png", { etag: newer });
  expect(await images.get("uploads/acme/cat.png")).toBeNull();
});

test("removes an image whichever it is when none is meant", async () => {
  const { images, put } = await startImages();
  await put("uploads/acme/cat.png", "x");
  await images.remove("uploads/acme/cat.png");
  expect(await images.get("uploads/acme/cat.png")).toBeNull();
});

test("has nothing to say against removing an image that is gone, whether or not it may be told so", async () => {
  const blind = functionPrincipal("blind", [
    allow(["s3:GetObject", "s3:DeleteObject"], [`arn:aws:s3:::${bucket}/uploads/*`]),
  ]);
  const { client, clientOf } = await startObjects({ principals: [blind] });
  for (const s3 of [client, clientOf(blind)])
    await createImageStore(s3, bucket).remove("uploads/acme/cat.png", { etag: "e" });
});

test("does not take for removed what it may not remove", async () => {
  const reader = functionPrincipal("reader", [allow(["s3:GetObject"], [`arn:aws:s3:::${bucket}/uploads/*`])]);
  const { clientOf } = await startObjects({ principals: [reader] });
  const images = createImageStore(clientOf(reader), bucket);
  await expect(images.remove("uploads/acme/cat.png")).rejects.toThrow("s3:DeleteObject");
});

test("does not take for gone what is there and may not be read: an archived object, or one without permission", async () => {
  const { images, put } = await startImages();
  await put("uploads/acme/cold.png", "x", { StorageClass: "GLACIER" });
  await expect(images.get("uploads/acme/cold.png")).rejects.toMatchObject({ name: "InvalidObjectState" });

  const remover = functionPrincipal("remover", [allow(["s3:DeleteObject"], [`arn:aws:s3:::${bucket}/uploads/*`])]);
  const { clientOf, put: putThere } = await startObjects({ principals: [remover] });
  const { ETag: etag } = await putThere("uploads/acme/cat.png", "x");
  const blind = createImageStore(clientOf(remover), bucket);
  await expect(blind.get("uploads/acme/cat.png")).rejects.toThrow("s3:GetObject");
  // With If-Match, S3 wants to read the object as well.
  await expect(blind.remove("uploads/acme/cat.png", { etag })).rejects.toThrow("s3:GetObject");
});
