import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { account, allow, functionPrincipal } from "./fixtures.ts";
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
