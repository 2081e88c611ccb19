import {
  GetBucketLocationCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { bucket, startObjects } from "./s3-fixtures.ts";

const Bucket = bucket;

describe("listing", () => {
  const keys = ["a.txt", "b/1", "b/2", "b/c/3", "d", "é", "\u{1F39F}", "\u{FFFD}"];
  const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

  test("sorts by UTF-8, filters by prefix and folds by delimiter", async () => {
    const { put, client } = await startObjects();
    for (const key of keys) await put(key);
    const list = async (more: object) => {
      const { Contents = [], CommonPrefixes = [] } = await client.send(new ListObjectsV2Command({ Bucket, ...more }));
      return [...Contents.map(({ Key }) => Key), ...CommonPrefixes.map(({ Prefix }) => Prefix)];
    };
    expect(await list({})).toEqual(sorted);
    expect(await list({ Prefix: "b/" })).toEqual(["b/1", "b/2", "b/c/3"]);
    expect(await list({ Prefix: "b/", Delimiter: "/" })).toEqual(["b/1", "b/2", "b/c/"]);
    expect(await list({ Delimiter: "/" })).toEqual([...sorted.filter((key) => !key.startsWith("b/")), "b/"]);
    expect(await list({ StartAfter: "b/1", Prefix: "b" })).toEqual(["b/2", "b/c/3"]);
    expect(await list({ Prefix: "nothing" })).toEqual([]);
  });

  test("continues page by page, each key and each common prefix once", async () => {
    const { put, client } = await startObjects();
    for (const key of keys) await put(key);
    for (const Delimiter of [undefined, "/"]) {
      const seen: (string | undefined)[] = [];
      let ContinuationToken: string | undefined;
      do {
        const page = await client.send(new ListObjectsV2Command({ Bucket, Delimiter, MaxKeys: 2, ContinuationToken }));
        seen.push(...[...(page.Contents ?? []).map((o) => o.Key), ...(page.CommonPrefixes ?? []).map((p) => p.Prefix)]);
        expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken);
      const wanted = Delimiter ? ["b/", ...sorted.filter((key) => !key.startsWith("b/"))] : sorted;
      expect(seen.toSorted()).toEqual(wanted.toSorted());
    }
    await expect(client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: "made up" }))).rejects.toMatchObject(
      {
        name: "InvalidArgument",
      },
    );
  });

  test("of the first version goes on from its marker", async () => {
    const { put, client } = await startObjects();
    for (const key of keys) await put(key);
    const first = await client.send(new ListObjectsCommand({ Bucket, Delimiter: "/", MaxKeys: 2 }));
    expect([first.Contents?.map((o) => o.Key), first.CommonPrefixes?.map((p) => p.Prefix)]).toEqual([
      ["a.txt"],
      ["b/"],
    ]);
    const next = await client.send(
      new ListObjectsCommand({ Bucket, Delimiter: "/", Marker: first.NextMarker, MaxKeys: 1 }),
    );
    expect(next.Contents?.map((o) => o.Key)).toEqual(["d"]);
  });

  test("encodes keys when asked to", async () => {
    const { put, client } = await startObjects();
    await put("a b/ü&<>");
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket, EncodingType: "url" }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(["a%20b/%C3%BC%26%3C%3E"]);
  });
});

describe("buckets", () => {
  test("are those of the manifest", async () => {
    const { client } = await startObjects();
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(["tollgate-other", bucket]);
    await client.send(new HeadBucketCommand({ Bucket }));
    expect((await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint ?? "").toBe("");
    await expect(client.send(new ListObjectsV2Command({ Bucket: "absent" }))).rejects.toMatchObject({
      name: "NoSuchBucket",
    });
  });

  test("say what they cannot do", async () => {
    const { client, put } = await startObjects();
    await put("k");
    const tagging = new PutObjectTaggingCommand({ Bucket, Key: "k", Tagging: { TagSet: [] } });
    await expect(client.send(tagging)).rejects.toMatchObject({
      name: "NotImplemented",
      $metadata: { httpStatusCode: 501 },
    });
  });
});
