import { leaseIndex, ownerIndex } from "@tollgate/core/dynamodb/keys";
import { describe, expect, test } from "vitest";
import { committedManifest, named } from "./stage.ts";

const manifest = await committedManifest();

describe("the table", () => {
  const table = named(manifest.tables, "Ledger");

  test("has items of several kinds under one key", () => {
    expect(table.primaryIndex).toEqual({ hashKey: "pk", rangeKey: "sk" });
  });

  test("lists an owner's results by time, and filters them before it reads them", () => {
    expect(named(table.globalIndexes, ownerIndex)).toEqual({
      hashKey: "owner_pk",
      rangeKey: "owner_sk",
      projection: ["kind", "status"],
    });
  });

  test("lists what is held by when its lease ends, and copies nothing else", () => {
    expect(named(table.globalIndexes, leaseIndex)).toEqual({
      hashKey: "lease_pk",
      rangeKey: "lease_expires_at",
      projection: "keys-only",
    });
  });

  test("forgets what has expired", () => {
    expect(table.ttlAttribute).toBe("expires_at");
  });

  test("can be restored to any moment", () => {
    expect(table.pointInTimeRecovery).toBe(true);
  });
});

describe("the bucket", () => {
  const bucket = named(manifest.buckets, "Images");

  test("tells the queue of every new object under uploads/, and of no other", () => {
    expect(bucket.notifications).toEqual([
      { queue: "ImageUploadedQueue", events: ["s3:ObjectCreated:*"], filterPrefix: "uploads/", filterSuffix: null },
    ]);
  });

  test("forgets an upload in parts that nobody finished", () => {
    expect(bucket.lifecycle).toContainEqual({ prefix: null, expirationDays: null, abortMultipartDays: 1 });
  });

  test("lets a page of any origin post a form, and nothing else", () => {
    expect(bucket.cors).toEqual([
      expect.objectContaining({ allowedMethods: ["POST"], allowedOrigins: ["*"], allowedHeaders: ["*"] }),
    ]);
  });

  test("is not asked before every form whether it may be posted", () => {
    expect(bucket.cors[0]?.maxAgeSeconds).toBeGreaterThanOrEqual(3600);
  });
});
