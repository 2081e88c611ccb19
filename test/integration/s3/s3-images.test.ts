import { randomBytes } from "node:crypto";
import { maxImageBytes } from "@tollgate/core/image/image";
import { createImageStore } from "@tollgate/core/s3/s3-images";
import { createS3TextStore } from "@tollgate/core/s3/s3-text-store";
import { describe, expect, test } from "vitest";
import { allow, functionPrincipal } from "../aws/fixtures.ts";
import { bucket, startObjects } from "../aws/s3-fixtures.ts";

const objects = [`arn:aws:s3:::${bucket}/*`];
const kmsKeyArn = "arn:aws:kms:us-east-1:000000000000:key/5f1b2c3d-0000-4000-8000-000000000000";

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

describe("for a role that may not list the bucket", () => {
  const role = functionPrincipal("role", [allow(["s3:GetObject", "s3:DeleteObject"], objects)]);

  test("a missing object is absent", async () => {
    const { clientOf } = await startObjects({ principals: [role] });
    expect(await createImageStore(clientOf(role), bucket).get("uploads/acme/cat.png")).toBeNull();
  });

  test("a replaced object is absent", async () => {
    const { clientOf, put } = await startObjects({ principals: [role] });
    const { ETag: etag } = await put("uploads/acme/cat.png", "first");
    await put("uploads/acme/cat.png", "second");
    expect(await createImageStore(clientOf(role), bucket).get("uploads/acme/cat.png", { etag })).toBeNull();
  });

  test("an object whose KMS key it may not use is an error, and not absent", async () => {
    const { clientOf, put } = await startObjects({ principals: [role], spec: { kmsKeyArn } });
    await put("uploads/acme/cat.png");
    await expect(createImageStore(clientOf(role), bucket).get("uploads/acme/cat.png")).rejects.toThrow("kms:Decrypt");
    await expect(createS3TextStore(clientOf(role), bucket).get("uploads/acme/cat.png")).rejects.toThrow("kms:Decrypt");
  });

  test.each(["GLACIER", "DEEP_ARCHIVE"] as const)(
    "an object in %s is an error, and not absent",
    async (StorageClass) => {
      const { clientOf, put } = await startObjects({ principals: [role] });
      await put("uploads/acme/cat.png", "x", { StorageClass });
      await expect(createImageStore(clientOf(role), bucket).get("uploads/acme/cat.png")).rejects.toMatchObject({
        name: "InvalidObjectState",
      });
      await expect(createS3TextStore(clientOf(role), bucket).get("uploads/acme/cat.png")).rejects.toMatchObject({
        name: "InvalidObjectState",
      });
    },
  );
});

test.each([
  "uploads/acme/cat.png",
  "uploads/acme/User: x is not authorized to perform: s3:ListBucket on resource: y.png",
])("an object that the role may neither read nor delete is an error, and not absent: %s", async (key) => {
  const role = functionPrincipal("role", [allow(["s3:PutObject"], objects)]);
  const { clientOf, put } = await startObjects({ principals: [role] });
  const { ETag: etag } = await put(key);
  const images = createImageStore(clientOf(role), bucket);
  await expect(images.get(key)).rejects.toThrow("s3:GetObject");
  await expect(images.get(key, { etag })).rejects.toThrow("s3:GetObject");
  await expect(images.remove(key, { etag })).rejects.toThrow("s3:DeleteObject");
  const texts = createS3TextStore(clientOf(role), bucket);
  await expect(texts.get(key)).rejects.toThrow("s3:GetObject");
  await expect(texts.remove(key)).rejects.toThrow("s3:DeleteObject");
});
