import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { account, allow, deny, functionPrincipal } from "./fixtures.ts";
import { bucket, startObjects } from "./s3-fixtures.ts";

const Bucket = bucket;

describe("a policy", () => {
  const uploader = functionPrincipal("uploader", [allow(["s3:PutObject"], [`arn:aws:s3:::${bucket}/uploads/*`])]);
  const reader = functionPrincipal("reader", [allow(["s3:GetObject"], [`arn:aws:s3:::${bucket}/*`])]);
  const lister = functionPrincipal("lister", [
    allow(["s3:GetObject"], [`arn:aws:s3:::${bucket}/*`]),
    {
      effect: "Allow",
      actions: ["s3:ListBucket"],
      resources: [`arn:aws:s3:::${bucket}`],
      conditions: [{ test: "StringLike", variable: "s3:prefix", values: ["acme/*"] }],
    },
  ]);
  const finder = functionPrincipal("finder", [
    allow(["s3:GetObject"], [`arn:aws:s3:::${bucket}/*`]),
    allow(["s3:ListBucket"], [`arn:aws:s3:::${bucket}`]),
  ]);
  const principals = [uploader, reader, lister, finder];

  test("allows and denies by action and key", async () => {
    const { clientOf } = await startObjects({ principals });
    await clientOf(uploader).send(new PutObjectCommand({ Bucket, Key: "uploads/a", Body: "x" }));
    await expect(
      clientOf(uploader).send(new PutObjectCommand({ Bucket, Key: "else", Body: "x" })),
    ).rejects.toMatchObject({
      name: "AccessDenied",
      message:
        `User: arn:aws:sts::${account}:assumed-role/uploader/uploader is not authorized to perform: s3:PutObject on resource: ` +
        `"arn:aws:s3:::${bucket}/else" because no identity-based policy allows the s3:PutObject action`,
      $metadata: { httpStatusCode: 403 },
    });
    await expect(clientOf(uploader).send(new GetObjectCommand({ Bucket, Key: "uploads/a" }))).rejects.toThrow(
      "s3:GetObject",
    );
    await expect(clientOf(reader).send(new DeleteObjectCommand({ Bucket, Key: "uploads/a" }))).rejects.toThrow(
      "s3:DeleteObject",
    );
    const copy = new CopyObjectCommand({ Bucket, Key: "uploads/b", CopySource: `${bucket}/uploads/a` });
    await expect(clientOf(uploader).send(copy)).rejects.toThrow("s3:GetObject");
    await expect(clientOf(reader).send(copy)).rejects.toThrow("s3:PutObject");
  });

  test("tells of a missing key only to who may list", async () => {
    const { clientOf } = await startObjects({ principals });
    const get = new GetObjectCommand({ Bucket, Key: "absent" });
    await expect(clientOf(reader).send(get)).rejects.toMatchObject({
      name: "AccessDenied",
      message:
        `User: arn:aws:sts::${account}:assumed-role/reader/reader is not authorized to perform: s3:ListBucket on resource: ` +
        `"arn:aws:s3:::${bucket}" because no identity-based policy allows the s3:ListBucket action`,
      $metadata: { httpStatusCode: 403 },
    });
    await expect(clientOf(finder).send(get)).rejects.toMatchObject({
      name: "NoSuchKey",
      $metadata: { httpStatusCode: 404 },
    });
  });

  test("may allow listing under a prefix alone", async () => {
    const { clientOf } = await startObjects({ principals });
    await clientOf(lister).send(new ListObjectsV2Command({ Bucket, Prefix: "acme/cats" }));
    await expect(clientOf(lister).send(new ListObjectsV2Command({ Bucket }))).rejects.toThrow("s3:ListBucket");
  });

  test("has to allow reading where a deletion asks for an ETag", async () => {
    const cleaner = functionPrincipal("cleaner", [allow(["s3:DeleteObject"], [`arn:aws:s3:::${bucket}/*`])]);
    const { put, clientOf } = await startObjects({ principals: [cleaner] });
    const { ETag } = await put("a");
    const remove = (IfMatch: string | undefined) =>
      clientOf(cleaner).send(new DeleteObjectCommand({ Bucket, Key: "a", IfMatch }));
    await expect(remove(ETag)).rejects.toThrow("s3:GetObject");
    await remove("*");
  });

  test("is held against each key of a deletion", async () => {
    const cleaner = functionPrincipal("cleaner", [allow(["s3:DeleteObject"], [`arn:aws:s3:::${bucket}/tmp/*`])]);
    const { put, clientOf } = await startObjects({ principals: [cleaner] });
    await put("tmp/a");
    await put("kept");
    const { Deleted, Errors } = await clientOf(cleaner).send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "tmp/a" }, { Key: "kept" }] } }),
    );
    expect(Deleted).toEqual([{ Key: "tmp/a" }]);
    expect(Errors).toMatchObject([{ Key: "kept", Code: "AccessDenied" }]);
  });
});

describe("a bucket with a key of its own", () => {
  const kmsKeyArn = `arn:aws:kms:us-east-1:${account}:key/11111111-2222-3333-4444-555555555555`;
  const objects = allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [`arn:aws:s3:::${bucket}/*`]);
  const keyless = functionPrincipal("keyless", [objects]);
  const writer = functionPrincipal("writer", [objects, allow(["kms:GenerateDataKey"], [kmsKeyArn])]);
  const reader = functionPrincipal("reader", [objects, allow(["kms:Decrypt"], [kmsKeyArn])]);
  const start = () => startObjects({ principals: [keyless, writer, reader], spec: { kmsKeyArn } });
  const put = new PutObjectCommand({ Bucket, Key: "k", Body: "x" });
  const get = new GetObjectCommand({ Bucket, Key: "k" });

  test("is written by who may make data keys, and read by who may decrypt", async () => {
    const { clientOf } = await start();
    expect(await clientOf(writer).send(put)).toMatchObject({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKeyArn });
    expect((await clientOf(reader).send(get)).ServerSideEncryption).toBe("aws:kms");
    for (const [principal, command, action] of [
      [keyless, put, "kms:GenerateDataKey"],
      [reader, put, "kms:GenerateDataKey"],
      [keyless, get, "kms:Decrypt"],
      [writer, get, "kms:Decrypt"],
    ] as const) {
      await expect(clientOf(principal).send(command as typeof put)).rejects.toMatchObject({
        name: "AccessDenied",
        message: expect.stringContaining(`is not authorized to perform: ${action} on resource: "${kmsKeyArn}"`),
      });
    }
  });

  test("asks for both in an upload in parts, and for neither to look at an object or to delete it", async () => {
    const { clientOf } = await start();
    const { UploadId } = await clientOf(writer).send(new CreateMultipartUploadCommand({ Bucket, Key: "parts" }));
    const part = new UploadPartCommand({ Bucket, Key: "parts", UploadId, PartNumber: 1, Body: "x" });
    await expect(clientOf(writer).send(part)).rejects.toThrow("kms:Decrypt");
    await clientOf(writer).send(put);
    await clientOf(keyless).send(new HeadObjectCommand({ Bucket, Key: "k" }));
    await clientOf(keyless).send(new DeleteObjectCommand({ Bucket, Key: "k" }));
  });

  test("takes its own key by name, and refuses to be encrypted otherwise", async () => {
    const { put } = await start();
    await put("k", "x", { ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKeyArn });
    await expect(put("k", "x", { ServerSideEncryption: "AES256" })).rejects.toMatchObject({ name: "NotImplemented" });
    const other = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: "alias/other" } as const;
    await expect(put("k", "x", other)).rejects.toMatchObject({ name: "NotImplemented" });
  });
});

describe("a bucket's own policy", () => {
  const arns = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
  const overHttp = { ...deny(["s3:*"], arns), principals: { "*": ["*"] } };
  const insecure = [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }];

  test("that refuses what comes without TLS lets through what comes over loopback", async () => {
    const { put, get } = await startObjects({ spec: { policy: [{ ...overHttp, conditions: insecure }] } });
    await put("a", "x");
    expect((await get("a")).text).toBe("x");
  });

  test("denies what a role's policy allows, to the user's own key too, and says so", async () => {
    const writer = functionPrincipal("writer", [allow(["s3:PutObject"], [`arn:aws:s3:::${bucket}/*`])]);
    const kept = { ...deny(["s3:PutObject"], [`arn:aws:s3:::${bucket}/kept/*`]), principals: { "*": ["*"] } };
    const { client, clientOf } = await startObjects({ principals: [writer], spec: { policy: [kept] } });
    for (const each of [client, clientOf(writer)]) {
      await each.send(new PutObjectCommand({ Bucket, Key: "else", Body: "x" }));
      await expect(each.send(new PutObjectCommand({ Bucket, Key: "kept/a", Body: "x" }))).rejects.toMatchObject({
        name: "AccessDenied",
        message: expect.stringMatching(/ with an explicit deny in a resource-based policy$/),
        $metadata: { httpStatusCode: 403 },
      });
    }
  });
});
