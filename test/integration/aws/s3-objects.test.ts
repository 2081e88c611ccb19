import { readdir } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
} from "@aws-sdk/client-s3";
import { describe, expect, test, vi } from "vitest";
import { temporaryDir } from "./fixtures.ts";
import { bucket, startObjects } from "./s3-fixtures.ts";

const Bucket = bucket;

describe("an object", () => {
  test("comes back with its bytes, headers, metadata and ETag", async () => {
    const { put, get } = await startObjects();
    const { ETag } = await put("cat.txt", "meow", {
      ContentType: "text/plain; charset=utf-8",
      CacheControl: "no-store",
      ContentDisposition: "attachment",
      Metadata: { prompt: "What is it?", schema: "image_sentiment" },
    });
    expect(ETag).toBe('"4a4be40c96ac6314e91d93f38043a634"');
    expect(await get("cat.txt")).toMatchObject({
      text: "meow",
      ETag,
      ContentLength: 4,
      ContentType: "text/plain; charset=utf-8",
      CacheControl: "no-store",
      ContentDisposition: "attachment",
      Metadata: { prompt: "What is it?", schema: "image_sentiment" },
    });
  });

  test.each([
    "a b/c+d.txt",
    "100%.txt",
    "%2F%25",
    "日本語/ü é.png",
    "quotes'\"()!*~&=?#;:@,$",
    "a/../b//c/./",
    "line\nbreak\ttab",
    "emoji 🎟️",
    "k".repeat(1024),
    "ü".repeat(512),
  ])("can be called %j", async (Key) => {
    const { put, get, client } = await startObjects();
    await put(Key, "x");
    expect((await get(Key)).text).toBe("x");
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map((object) => object.Key)).toEqual([Key]);
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } }));
    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  });

  test("cannot be called by more than 1,024 bytes of UTF-8", async () => {
    const { put } = await startObjects();
    await expect(put("k".repeat(1025))).rejects.toMatchObject({
      name: "KeyTooLongError",
      $metadata: { httpStatusCode: 400 },
    });
    await expect(put(`${"ü".repeat(512)}k`)).rejects.toMatchObject({ name: "KeyTooLongError" });
  });

  test("may be empty", async () => {
    const { put, get } = await startObjects();
    await put("empty", new Uint8Array());
    expect(await get("empty")).toMatchObject({
      ContentLength: 0,
      text: "",
      ETag: '"d41d8cd98f00b204e9800998ecf8427e"',
    });
    await expect(get("empty", { Range: "bytes=0-0" })).rejects.toMatchObject({ name: "InvalidRange" });
  });

  test("may be 20 MB that come as a stream", async () => {
    const { put, get } = await startObjects();
    const chunk = Buffer.alloc(1_000_000, 7);
    await put("large", Readable.from(Array.from({ length: 20 }, () => chunk)), { ContentLength: 20_000_000 });
    const { Body, ContentLength } = await get("large", { Range: "bytes=19999998-" });
    expect({ type: typeof Body, ContentLength }).toEqual({ type: "object", ContentLength: 2 });
  });

  test("is replaced whole, and its former bytes leave the disk", async () => {
    const dir = await temporaryDir();
    const { put, get, client } = await startObjects({ dir });
    await put("k", "first");
    await put("k", "second");
    expect((await get("k")).text).toBe("second");
    expect(await readdir(path.join(dir, "blobs"))).toHaveLength(1);
    await client.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
    expect(await readdir(path.join(dir, "blobs"))).toEqual([]);
  });

  test("is still there after a restart", async () => {
    const dir = await temporaryDir();
    const before = await startObjects({ dir });
    await before.put("kept", "bytes", { Metadata: { a: "b" } });
    await before.stop();
    const after = await startObjects({ dir });
    expect(await after.get("kept")).toMatchObject({ text: "bytes", Metadata: { a: "b" } });
  });

  test("is deleted once and again without complaint", async () => {
    const { put, client } = await startObjects();
    await put("k");
    for (const _ of [1, 2]) {
      const { $metadata } = await client.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
      expect($metadata.httpStatusCode).toBe(204);
    }
  });

  test("is deleted on condition that it is still the one that is named", async () => {
    const { put, get, client } = await startObjects();
    const { ETag: first } = await put("k", "first");
    const { ETag: second } = await put("k", "second");
    const deleteIf = (IfMatch: string | undefined) =>
      client.send(new DeleteObjectCommand({ Bucket, Key: "k", IfMatch }));
    await expect(deleteIf(first)).rejects.toMatchObject({
      name: "PreconditionFailed",
      $metadata: { httpStatusCode: 412 },
    });
    expect((await get("k")).text).toBe("second");
    expect((await deleteIf(second)).$metadata.httpStatusCode).toBe(204);
    for (const gone of [second, "*"])
      await expect(deleteIf(gone)).rejects.toMatchObject({ name: "NoSuchKey", $metadata: { httpStatusCode: 404 } });
    await put("k", "third");
    expect((await deleteIf("*")).$metadata.httpStatusCode).toBe(204);
  });

  test("may not carry more than 2 KB of metadata", async () => {
    const { put } = await startObjects();
    await expect(put("k", "x", { Metadata: { a: "x".repeat(2048) } })).rejects.toMatchObject({
      name: "MetadataTooLarge",
    });
  });
});

describe("reading", () => {
  test.each([
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=4-", "456789", "bytes 4-9/10"],
    ["bytes=-2", "89", "bytes 8-9/10"],
    ["bytes=8-99", "89", "bytes 8-9/10"],
    ["bytes=-99", "0123456789", "bytes 0-9/10"],
  ])("gives %s as %j", async (Range, text, ContentRange) => {
    const { put, get } = await startObjects();
    await put("digits", "0123456789");
    expect(await get("digits", { Range })).toMatchObject({ text, ContentRange, $metadata: { httpStatusCode: 206 } });
  });

  test("refuses a range beyond the end, and gives all for one that makes no sense", async () => {
    const { put, get } = await startObjects();
    await put("digits", "0123456789");
    await expect(get("digits", { Range: "bytes=10-" })).rejects.toMatchObject({ name: "InvalidRange" });
    expect(await get("digits", { Range: "bytes=5-2" })).toMatchObject({ text: "0123456789" });
  });

  test("answers If-Match and If-None-Match", async () => {
    const { put, get } = await startObjects();
    const { ETag } = await put("k", "x");
    expect((await get("k", { IfMatch: ETag })).text).toBe("x");
    await expect(get("k", { IfMatch: '"other"' })).rejects.toMatchObject({ name: "PreconditionFailed" });
    expect((await get("k", { IfNoneMatch: '"other"' })).text).toBe("x");
    await expect(get("k", { IfNoneMatch: ETag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    await expect(get("k", { IfModifiedSince: new Date(Date.now() + 1000) })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
    await expect(get("k", { IfUnmodifiedSince: new Date(0) })).rejects.toMatchObject({ name: "PreconditionFailed" });
  });

  test("HEAD gives the headers of GET and no body", async () => {
    const { put, client } = await startObjects();
    await put("k", "four");
    expect(await client.send(new HeadObjectCommand({ Bucket, Key: "k" }))).toMatchObject({ ContentLength: 4 });
    await expect(client.send(new HeadObjectCommand({ Bucket, Key: "absent" }))).rejects.toMatchObject({
      name: "NotFound",
    });
  });
});

describe("writing", () => {
  test("only if the key is new, or the content is what is expected", async () => {
    const { put, get } = await startObjects();
    const { ETag } = await put("k", "first", { IfNoneMatch: "*" });
    await expect(put("k", "second", { IfNoneMatch: "*" })).rejects.toMatchObject({ name: "PreconditionFailed" });
    await expect(put("k", "second", { IfMatch: '"other"' })).rejects.toMatchObject({ name: "PreconditionFailed" });
    await put("k", "third", { IfMatch: ETag });
    expect((await get("k")).text).toBe("third");
  });

  test.each(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const)(
    "keeps and gives back a %s checksum",
    async (ChecksumAlgorithm) => {
      const { put, client } = await startObjects();
      const written = await put("k", "checked", { ChecksumAlgorithm });
      const name = `Checksum${ChecksumAlgorithm}` as const;
      expect(written[name]).toMatch(/=$/);
      const head = await client.send(new HeadObjectCommand({ Bucket, Key: "k", ChecksumMode: "ENABLED" }));
      expect(head[name]).toBe(written[name]);
      await expect(put("k", "other", { [name]: written[name] })).rejects.toMatchObject({ name: "BadDigest" });
    },
  );

  test("refuses a body that is not that of its Content-MD5, and stores nothing", async () => {
    const { put, get } = await startObjects();
    await expect(put("k", "body", { ContentMD5: "1B2M2Y8AsgTpgAmY7PhCfg==" })).rejects.toMatchObject({
      name: "BadDigest",
    });
    await expect(put("k", "body", { ContentMD5: "short" })).rejects.toMatchObject({ name: "InvalidDigest" });
    await expect(get("k")).rejects.toBeInstanceOf(NoSuchKey);
  });
});

describe("copying", () => {
  test("takes bytes and metadata along, or replaces the metadata", async () => {
    const { put, get, client } = await startObjects();
    await put("a b+ü", "bytes", { Metadata: { from: "source" }, ContentType: "image/png" });
    const CopySource = `${Bucket}/${encodeURIComponent("a b+ü")}`;
    await client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource }));
    expect(await get("copy")).toMatchObject({ text: "bytes", ContentType: "image/png", Metadata: { from: "source" } });
    const replacing = { MetadataDirective: "REPLACE", Metadata: { from: "copy" } } as const;
    await client.send(new CopyObjectCommand({ Bucket, Key: "replaced", CopySource, ...replacing }));
    expect(await get("replaced")).toMatchObject({ text: "bytes", Metadata: { from: "copy" } });
  });

  test("an object onto itself needs a change", async () => {
    const { put, client } = await startObjects();
    await put("k", "x");
    const copy = new CopyObjectCommand({ Bucket, Key: "k", CopySource: `${Bucket}/k` });
    await expect(client.send(copy)).rejects.toMatchObject({
      name: "InvalidRequest",
      message:
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, " +
        "storage class, website redirect location or encryption attributes.",
    });
  });

  test.each([
    ["its metadata", { MetadataDirective: "REPLACE", Metadata: { prompt: "What is it?" } }],
    ["its storage class", { StorageClass: "STANDARD_IA" }],
    ["its encryption", { ServerSideEncryption: "AES256" }],
  ] as const)("an object onto itself changes %s, and is told to the queue", async (_, change) => {
    const spec = {
      notifications: [{ queue: "q", events: ["s3:ObjectCreated:*"], filterPrefix: null, filterSuffix: null }],
    };
    const { put, get, client, events } = await startObjects({ spec });
    await put("k", "x", { Metadata: { from: "before" } });
    await client.send(new CopyObjectCommand({ Bucket, Key: "k", CopySource: `${Bucket}/k`, ...change }));
    const { Metadata, StorageClass, text } = await get("k");
    expect([text, Metadata, StorageClass]).toEqual([
      "x",
      "Metadata" in change ? { prompt: "What is it?" } : { from: "before" },
      "StorageClass" in change ? "STANDARD_IA" : undefined,
    ]);
    await vi.waitFor(() => expect(events.map(({ message }) => message).join()).toContain("ObjectCreated:Copy"));
  });

  test("refuses a directive that S3 does not know", async () => {
    const { put, client } = await startObjects();
    await put("k", "x");
    const MetadataDirective = "MERGE" as never;
    await expect(
      client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/k`, MetadataDirective })),
    ).rejects.toMatchObject({ name: "InvalidArgument" });
  });
});

describe("a storage class", () => {
  test("is told with the object and in a listing, and does not go along with a copy", async () => {
    const { put, get, client } = await startObjects();
    await put("cold", "x", { StorageClass: "GLACIER_IR" });
    await put("warm", "x", { StorageClass: "STANDARD" });
    await client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/cold` }));
    expect((await get("cold")).StorageClass).toBe("GLACIER_IR");
    expect((await get("warm")).StorageClass).toBeUndefined();
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map(({ Key, StorageClass }) => [Key, StorageClass])).toEqual([
      ["cold", "GLACIER_IR"],
      ["copy", "STANDARD"],
      ["warm", "STANDARD"],
    ]);
  });

  test.each(["GLACIER", "DEEP_ARCHIVE"] as const)(
    "of %s lets an object be looked at and deleted, but not read or copied",
    async (StorageClass) => {
      const { put, get, client } = await startObjects();
      await put("k", "x", { StorageClass });
      const refused = { name: "InvalidObjectState", $metadata: { httpStatusCode: 403 } };
      await expect(get("k")).rejects.toMatchObject({ ...refused, StorageClass });
      const CopySource = `${Bucket}/k`;
      await expect(client.send(new CopyObjectCommand({ Bucket, Key: "c", CopySource }))).rejects.toMatchObject(refused);
      expect((await client.send(new HeadObjectCommand({ Bucket, Key: "k" }))).StorageClass).toBe(StorageClass);
      await client.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
    },
  );

  test("that does not exist is refused", async () => {
    const { put } = await startObjects();
    await expect(put("k", "x", { StorageClass: "FROZEN" as never })).rejects.toMatchObject({
      name: "InvalidStorageClass",
      $metadata: { httpStatusCode: 400 },
    });
  });
});
