import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { expect, test, vi } from "vitest";
import { account, developer, region, temporaryDir } from "./fixtures.ts";
import { bucket, startBucket } from "./s3-fixtures.ts";

const Bucket = bucket;
const notification = { queue: "Jobs", events: ["s3:ObjectCreated:*"], filterPrefix: "uploads/", filterSuffix: null };
const spec = { notifications: [notification] };

interface S3Record {
  eventName: string;
  s3: { object: { key: string; size: number; eTag: string; sequencer: string } };
}

/** The records of messages, test events left out. */
function recordsOf(events: { queue: string; message: string }[]): S3Record[] {
  return events.flatMap(({ message }) => (JSON.parse(message) as { Records?: S3Record[] }).Records ?? []);
}

test("a new notification is announced to its queue once, by a test event", async () => {
  const dir = await temporaryDir();
  for (const expected of [1, 0]) {
    const { events, stop } = await startBucket({ dir, spec });
    if (expected > 0) await vi.waitFor(() => expect(events).toHaveLength(expected));
    await stop();
    expect(events).toHaveLength(expected);
    if (events[0]) {
      expect(events[0].queue).toBe("Jobs");
      expect(JSON.parse(events[0].message)).toMatchObject({ Service: "Amazon S3", Event: "s3:TestEvent", Bucket });
    }
  }
});

test("an object's event is S3's, to the field", async () => {
  const { client, events } = await startBucket({ spec });
  const { ETag, $metadata } = await client.send(
    new PutObjectCommand({ Bucket, Key: "uploads/acme/a b+ü.png", Body: "12345" }),
  );
  await vi.waitFor(() => expect(recordsOf(events)).toHaveLength(1));
  expect(recordsOf(events)[0]).toEqual({
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: region,
    eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    eventName: "ObjectCreated:Put",
    userIdentity: { principalId: `AWS:${developer.accessKeyId}` },
    requestParameters: { sourceIPAddress: "127.0.0.1" },
    responseElements: { "x-amz-request-id": $metadata.requestId, "x-amz-id-2": expect.any(String) },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: expect.any(String),
      bucket: { name: Bucket, ownerIdentity: { principalId: account }, arn: `arn:aws:s3:::${Bucket}` },
      object: {
        key: "uploads/acme/a+b%2B%C3%BC.png",
        size: 5,
        eTag: JSON.parse(ETag ?? ""),
        sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
      },
    },
  });
});

test("every way to make an object has its own event name", async () => {
  const { client, events } = await startBucket({ spec });
  await client.send(new PutObjectCommand({ Bucket, Key: "uploads/put", Body: "x" }));
  await client.send(new CopyObjectCommand({ Bucket, Key: "uploads/copy", CopySource: `${Bucket}/uploads/put` }));
  const { url, fields } = await createPresignedPost(client, { Bucket, Key: "uploads/post" });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", new Blob(["x"]));
  await fetch(url, { method: "POST", body: form });
  const upload = { Bucket, Key: "uploads/multipart" };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload));
  const { ETag } = await client.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: "x" }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await client.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload }));
  await vi.waitFor(() => expect(recordsOf(events)).toHaveLength(4));
  expect(recordsOf(events).map(({ eventName, s3 }) => `${eventName} ${s3.object.key}`)).toEqual([
    "ObjectCreated:Put uploads/put",
    "ObjectCreated:Copy uploads/copy",
    "ObjectCreated:Post uploads/post",
    "ObjectCreated:CompleteMultipartUpload uploads/multipart",
  ]);
});

test("only notifications whose event, prefix and suffix match are told", async () => {
  const notifications = [
    { ...notification, queue: "Images", filterSuffix: ".png" },
    { ...notification, queue: "Copies", events: ["s3:ObjectCreated:Copy"] },
  ];
  const { client, events } = await startBucket({ spec: { notifications } });
  for (const Key of ["uploads/a.png", "uploads/a.txt", "else/a.png"]) {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
  }
  await client.send(new CopyObjectCommand({ Bucket, Key: "uploads/b.txt", CopySource: `${Bucket}/uploads/a.txt` }));
  await vi.waitFor(() => expect(recordsOf(events)).toHaveLength(2));
  const told = events.filter(({ message }) => message.includes("Records"));
  expect(told.map(({ queue }) => queue)).toEqual(["Images", "Copies"]);
});

test("an event whose queue does not take it is handed over again, over a restart too", async () => {
  const dir = await temporaryDir();
  let attempts = 0;
  const refusing = await startBucket({
    dir,
    spec,
    async onEvent() {
      attempts += 1;
      throw new Error("the queue is down");
    },
  });
  await refusing.client.send(new PutObjectCommand({ Bucket, Key: "uploads/a", Body: "x" }));
  await vi.waitFor(() => expect(attempts).toBeGreaterThan(3), 5000);
  await refusing.stop();

  const { events } = await startBucket({ dir, spec });
  await vi.waitFor(() => expect(recordsOf(events).map(({ s3 }) => s3.object.key)).toEqual(["uploads/a"]));
});

test("sequencers grow with each write of a key, over a restart too", async () => {
  const dir = await temporaryDir();
  const sequencers: string[] = [];
  for (const _ of [1, 2]) {
    const { client, events, stop } = await startBucket({ dir, spec });
    for (const Body of ["1", "2", "3"]) await client.send(new PutObjectCommand({ Bucket, Key: "uploads/a", Body }));
    await vi.waitFor(() => expect(recordsOf(events)).toHaveLength(3));
    sequencers.push(...recordsOf(events).map(({ s3 }) => s3.object.sequencer));
    await stop();
  }
  expect(new Set(sequencers).size).toBe(6);
  expect(sequencers).toEqual(sequencers.toSorted());
});

test("a notification for what is not told of here is refused at the start", async () => {
  const events = ["s3:ObjectRemoved:*"];
  await expect(startBucket({ spec: { notifications: [{ ...notification, events }] } })).rejects.toThrow(
    "s3:ObjectRemoved:*",
  );
});
