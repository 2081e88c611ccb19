import { S3Client } from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { resultIdPattern } from "@tollgate/core/result/id";
import { createFormSigner } from "@tollgate/core/s3/form";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => vi.useRealTimers());

const form = fc.record({
  bucket: fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,58}[a-z0-9]$/),
  key: fc.string({ minLength: 1, maxLength: 80 }).map((name) => `uploads/acme/${name.replaceAll("$", "")}`),
  // In each of AWS's partitions, the names of their hosts differ.
  region: fc.constantFrom(
    "us-east-1",
    "eu-central-1",
    "cn-north-1",
    "us-gov-west-1",
    "eusc-de-east-1",
    "us-iso-east-1",
  ),
  endpoint: fc.option(fc.constantFrom("http://127.0.0.1:9000", "https://10.0.0.1"), { nil: undefined }),
  credentials: fc.record({
    accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/),
    secretAccessKey: fc.string({ minLength: 1, maxLength: 60 }),
    sessionToken: fc.option(fc.string({ minLength: 1, maxLength: 900 }), { nil: undefined }),
  }),
  announcedId: fc.stringMatching(resultIdPattern),
  contentType: fc.constantFrom("image/png", "image/jpeg"),
  maxBytes: fc.integer({ min: 1, max: 20_000_000 }),
  now: fc.date({ min: new Date("2020-01-01"), max: new Date("2090-01-01"), noInvalidDate: true }),
  ttlSeconds: fc.integer({ min: 1, max: 604_800 }),
});

type Form = typeof form extends fc.Arbitrary<infer T> ? T : never;

function ours({ bucket, key, region, endpoint, credentials, now, ttlSeconds, ...pinned }: Form) {
  const sign = createFormSigner({ bucket, endpoint, region: async () => region, credentials: async () => credentials });
  return sign(key, { ...pinned, expiresAt: new Date(now.getTime() + ttlSeconds * 1000), now });
}

function amazons({ bucket, key, region, endpoint, credentials, now, ttlSeconds, ...pinned }: Form) {
  vi.useFakeTimers({ toFake: ["Date"], now });
  return createPresignedPost(new S3Client({ region, credentials, ...(endpoint && { endpoint }) }), {
    Bucket: bucket,
    Key: key,
    Fields: {
      "Content-Type": pinned.contentType,
      success_action_status: "201",
      "x-amz-meta-announced": pinned.announcedId,
    },
    Conditions: [["content-length-range", 1, pinned.maxBytes]],
    Expires: ttlSeconds,
  });
}

test("an upload's form is the one that Amazon's own library signs, to the byte", async () => {
  await fc.assert(
    fc.asyncProperty(form, async (asked) => {
      expect(await ours(asked)).toEqual(await amazons(asked));
    }),
  );
});
