import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, test } from "vitest";
import { account, allow, functionPrincipal } from "./fixtures.ts";
import { bucket, startObjects } from "./s3-fixtures.ts";

const Bucket = bucket;

describe("a write that would make S3 do more than is done here", () => {
  test.each<[header: string, options: Partial<PutObjectCommandInput>]>([
    ["x-amz-object-lock-mode", { ObjectLockMode: "GOVERNANCE" }],
    ["x-amz-object-lock-legal-hold", { ObjectLockLegalHoldStatus: "ON" }],
    ["x-amz-server-side-encryption", { ServerSideEncryption: "aws:kms" }],
    ["x-amz-server-side-encryption-aws-kms-key-id", { SSEKMSKeyId: "alias/own" }],
    ["x-amz-server-side-encryption-customer-algorithm", { SSECustomerAlgorithm: "AES256" }],
    ["x-amz-website-redirect-location", { WebsiteRedirectLocation: "/elsewhere" }],
    ["x-amz-tagging", { Tagging: "team=a" }],
    ["x-amz-write-offset-bytes", { WriteOffsetBytes: 1 }],
  ])("is refused by the name of %s, in a header and in a presigned URL", async (header, options) => {
    const { put, client } = await startObjects();
    const refused = { name: "NotImplemented", message: expect.stringContaining(header) };
    await expect(put("k", "x", options)).rejects.toMatchObject({ ...refused, $metadata: { httpStatusCode: 501 } });
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: "k", ...options }));
    // What a signer leaves in the headers, its user has to send along.
    if (!new URL(url).searchParams.has(header)) return;
    const response = await fetch(url, { method: "PUT", body: "x" });
    expect([response.status, await response.text()]).toEqual([501, expect.stringContaining(header)]);
    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  });

  test.each<[what: string, options: Partial<PutObjectCommandInput>]>([
    ["an ACL for others", { ACL: "public-read" }],
    ["a grant", { GrantRead: 'uri="http://acs.amazonaws.com/groups/global/AllUsers"' }],
  ])("is refused as in any bucket whose ACLs are off: %s", async (_, options) => {
    const { put } = await startObjects();
    await expect(put("k", "x", options)).rejects.toMatchObject({
      name: "AccessControlListNotSupported",
      message: "The bucket does not allow ACLs",
      $metadata: { httpStatusCode: 400 },
    });
  });

  test("is refused when it expects another account's bucket", async () => {
    const { put } = await startObjects();
    await put("k", "x", { ExpectedBucketOwner: account });
    await expect(put("k", "x", { ExpectedBucketOwner: "999999999999" })).rejects.toMatchObject({
      name: "AccessDenied",
    });
  });

  test.each<Partial<PutObjectCommandInput>>([
    { ACL: "private" },
    { ACL: "bucket-owner-full-control" },
    { ServerSideEncryption: "AES256" },
    { RequestPayer: "requester" },
    { StorageClass: "STANDARD" },
  ])("is taken when it says what holds anyway: %o", async (options) => {
    const { put, get } = await startObjects();
    expect((await put("k", "x", options)).ServerSideEncryption).toBe("AES256");
    expect((await get("k")).text).toBe("x");
  });
});

describe("versions", () => {
  test("do not exist, but for the one that is called null", async () => {
    const { put, client } = await startObjects();
    await put("k");
    const refused = { name: "NotImplemented", message: expect.stringMatching(/versionId/i) };
    const VersionId = "3HL4kqtJvjVBH40Nrjfkd";
    await expect(client.send(new GetObjectCommand({ Bucket, Key: "k", VersionId }))).rejects.toMatchObject(refused);
    await expect(client.send(new DeleteObjectCommand({ Bucket, Key: "k", VersionId }))).rejects.toMatchObject(refused);
    const CopySource = `${Bucket}/k?versionId=${VersionId}`;
    await expect(client.send(new CopyObjectCommand({ Bucket, Key: "c", CopySource }))).rejects.toMatchObject(refused);
    const many = new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "k", VersionId }] } });
    expect((await client.send(many)).Errors).toMatchObject([{ Key: "k", Code: "NotImplemented" }]);
    await client.send(new GetObjectCommand({ Bucket, Key: "k", VersionId: "null" }));
  });
});

describe("reading a part of an object by its number", () => {
  test("is refused, and does not give the whole", async () => {
    const { put, client } = await startObjects();
    await put("k");
    await expect(client.send(new GetObjectCommand({ Bucket, Key: "k", PartNumber: 1 }))).rejects.toMatchObject({
      name: "NotImplemented",
    });
  });
});

describe("a bucket", () => {
  const rule = {
    allowedMethods: ["POST"],
    allowedOrigins: ["*"],
    allowedHeaders: ["*"],
    exposeHeaders: [],
    maxAgeSeconds: 60,
  };

  test("that is there may be made again in us-east-1, and nowhere else", async () => {
    const { client } = await startObjects();
    expect((await client.send(new CreateBucketCommand({ Bucket }))).Location).toBe(`/${Bucket}`);
    const ireland = await startObjects({ region: "eu-west-1" });
    await expect(ireland.client.send(new CreateBucketCommand({ Bucket }))).rejects.toMatchObject({
      name: "BucketAlreadyOwnedByYou",
      $metadata: { httpStatusCode: 409 },
    });
    expect((await ireland.client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBe("eu-west-1");
  });

  test("is not made in another region, nor when infra/ does not declare it", async () => {
    const { client } = await startObjects();
    const CreateBucketConfiguration = { LocationConstraint: "eu-west-1" } as const;
    await expect(client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }))).rejects.toMatchObject({
      name: "IllegalLocationConstraintException",
    });
    await expect(client.send(new CreateBucketCommand({ Bucket: "absent" }))).rejects.toMatchObject({
      name: "NotImplemented",
      message: expect.stringContaining("infra/"),
    });
  });

  test("answers HEAD with its region, and 404 when it is not there", async () => {
    const { client } = await startObjects();
    expect((await client.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe("us-east-1");
    await expect(client.send(new HeadBucketCommand({ Bucket: "absent" }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    });
  });

  test("tells what infra/ has set for it", async () => {
    const spec = {
      cors: [rule],
      lifecycle: [{ prefix: "requests/", expirationDays: 15, abortMultipartDays: null }],
      policy: [{ effect: "Deny", principals: { "*": ["*"] }, actions: ["s3:PutObjectAcl"], resources: ["*"] }] as const,
    };
    const { client, put } = await startObjects({ spec: structuredClone(spec) as never });
    const { CORSRules } = await client.send(new GetBucketCorsCommand({ Bucket }));
    expect(CORSRules).toEqual([
      { AllowedMethods: ["POST"], AllowedOrigins: ["*"], AllowedHeaders: ["*"], MaxAgeSeconds: 60 },
    ]);
    const { Rules } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect(Rules).toEqual([{ Status: "Enabled", Filter: { Prefix: "requests/" }, Expiration: { Days: 15 } }]);
    const { Policy } = await client.send(new GetBucketPolicyCommand({ Bucket }));
    expect(JSON.parse(Policy ?? "").Statement).toEqual([
      { Effect: "Deny", Principal: "*", Action: ["s3:PutObjectAcl"], Resource: ["*"] },
    ]);
    const encryption = await client.send(new GetBucketEncryptionCommand({ Bucket }));
    expect(encryption.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault).toEqual({
      SSEAlgorithm: "AES256",
    });
    const owners = [{ Grantee: { ID: account, Type: "CanonicalUser" }, Permission: "FULL_CONTROL" }];
    expect((await client.send(new GetBucketAclCommand({ Bucket }))).Grants).toEqual(owners);
    await put("k");
    expect((await client.send(new GetObjectAclCommand({ Bucket, Key: "k" }))).Grants).toEqual(owners);
    expect((await client.send(new GetObjectTaggingCommand({ Bucket, Key: "k" }))).TagSet).toEqual([]);
  });

  test("says what it has not by S3's own codes, and only to who may ask", async () => {
    const stranger = functionPrincipal("stranger", [allow(["s3:GetObject"], ["*"])]);
    const { client, clientOf } = await startObjects({ principals: [stranger] });
    for (const [command, name] of [
      [new GetBucketCorsCommand({ Bucket }), "NoSuchCORSConfiguration"],
      [new GetBucketLifecycleConfigurationCommand({ Bucket }), "NoSuchLifecycleConfiguration"],
      [new GetBucketPolicyCommand({ Bucket }), "NoSuchBucketPolicy"],
    ] as const) {
      await expect(client.send(command as GetBucketPolicyCommand)).rejects.toMatchObject({
        name,
        $metadata: { httpStatusCode: 404 },
      });
      await expect(clientOf(stranger).send(command as GetBucketPolicyCommand)).rejects.toMatchObject({
        name: "AccessDenied",
      });
    }
  });
});
