import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { temporaryDir } from "./fixtures.ts";
import { bucket, startBucket } from "./s3-fixtures.ts";

const Bucket = bucket;
const Key = "large file.bin";
const fiveMiB = Buffer.alloc(5 * 1024 ** 2, 1);

async function startUpload(options: Parameters<typeof startBucket>[0] = {}, create: object = {}) {
  const s3 = await startBucket(options);
  const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...create }));
  const part = async (PartNumber: number, Body: Buffer, more: object = {}) => {
    const output = await s3.client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...more }));
    return { PartNumber, ETag: output.ETag, ChecksumSHA256: output.ChecksumSHA256 };
  };
  const complete = (...Parts: { PartNumber: number; ETag: string | undefined }[]) =>
    s3.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  return { ...s3, UploadId, part, complete };
}

test("parts in any order, one of them sent twice, become one object with its metadata", async () => {
  const { client, part, complete } = await startUpload({}, { ContentType: "image/png", Metadata: { a: "b" } });
  const second = await part(2, Buffer.from("end"));
  await part(1, Buffer.alloc(10));
  const first = await part(1, fiveMiB);
  const { ETag } = await complete(first, second);
  expect(ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
  const object = await client.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=5242879-" }));
  expect(object).toMatchObject({
    ContentType: "image/png",
    Metadata: { a: "b" },
    ContentRange: "bytes 5242879-5242882/5242883",
  });
  expect(await object.Body?.transformToString()).toBe("\u0001end");
});

test("the object has the checksum of its parts' checksums", async () => {
  const { client, part, complete } = await startUpload({}, { ChecksumAlgorithm: "SHA256" });
  const parts = [
    await part(1, fiveMiB, { ChecksumAlgorithm: "SHA256" }),
    await part(2, Buffer.from("end"), { ChecksumAlgorithm: "SHA256" }),
  ];
  await complete(...parts);
  const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
  expect(head).toMatchObject({ ChecksumSHA256: expect.stringMatching(/=-2$/), ChecksumType: "COMPOSITE" });
});

test("parts are listed, in pages, and survive a restart", async () => {
  const dir = await temporaryDir();
  const before = await startUpload({ dir });
  for (const number of [1, 2, 3]) await before.part(number, Buffer.alloc(number));
  await before.stop();
  const { client } = await startBucket({ dir });
  const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  expect(Uploads).toMatchObject([{ Key, UploadId: before.UploadId }]);
  const list = (more: object) => client.send(new ListPartsCommand({ Bucket, Key, UploadId: before.UploadId, ...more }));
  const page = await list({ MaxParts: 2 });
  expect(page).toMatchObject({
    IsTruncated: true,
    Parts: [
      { PartNumber: 1, Size: 1 },
      { PartNumber: 2, Size: 2 },
    ],
  });
  expect(await list({ PartNumberMarker: page.NextPartNumberMarker })).toMatchObject({ Parts: [{ PartNumber: 3 }] });
});

test("a part may be a range of another object", async () => {
  const { client, UploadId, complete } = await startUpload();
  await client.send(new PutObjectCommand({ Bucket, Key: "source ü", Body: "0123456789" }));
  const { CopyPartResult } = await client.send(
    new UploadPartCopyCommand({
      Bucket,
      Key,
      UploadId,
      PartNumber: 1,
      CopySource: `${Bucket}/${encodeURIComponent("source ü")}`,
      CopySourceRange: "bytes=2-4",
    }),
  );
  await complete({ PartNumber: 1, ETag: CopyPartResult?.ETag });
  const object = await client.send(new GetObjectCommand({ Bucket, Key }));
  expect(await object.Body?.transformToString()).toBe("234");
});

test("refuses parts out of order, unknown, changed or too small", async () => {
  const { part, complete } = await startUpload();
  const first = await part(1, fiveMiB);
  const second = await part(2, Buffer.from("small"));
  const third = await part(3, Buffer.from("end"));
  await expect(complete(third, first)).rejects.toMatchObject({ name: "InvalidPartOrder" });
  await expect(complete(first, { PartNumber: 9, ETag: first.ETag })).rejects.toMatchObject({ name: "InvalidPart" });
  await expect(complete({ ...first, ETag: '"other"' })).rejects.toMatchObject({ name: "InvalidPart" });
  await expect(complete(first, second, third)).rejects.toMatchObject({ name: "EntityTooSmall" });
  await expect(part(10_001, Buffer.from("x"))).rejects.toMatchObject({ name: "InvalidArgument" });
});

test("is gone once aborted or completed", async () => {
  const { client, UploadId, part, complete } = await startUpload();
  const only = await part(1, Buffer.from("x"));
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  await expect(complete(only)).rejects.toMatchObject({ name: "NoSuchUpload" });
  await expect(part(1, Buffer.from("x"))).rejects.toMatchObject({ name: "NoSuchUpload" });
});
