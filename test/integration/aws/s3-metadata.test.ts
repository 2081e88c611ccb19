import { CopyObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, test } from "vitest";
import { bucket, startObjects } from "./s3-fixtures.ts";

const Bucket = bucket;
/** No string: with one, Node sends the headers in UTF-8 as well, and in ISO-8859-1 otherwise. */
const body = Buffer.from("x");

// What AWS was seen to do: LocalStack's tests recorded it in February 2026.
describe("metadata in a header", () => {
  test.each([
    ["words of ASCII alone come back as ASCII", "=?UTF-8?B?YWJj?= =?utf-8?q?_d=5fe?=", "abc d_e"],
    [
      "other words come back as one word in Q",
      "=?UTF-8?B?w4Qg4oCUIGZpbGVfPT8u?=",
      "=?UTF-8?Q?=C3=84_=E2=80=94_file=5F=3D=3F.?=",
    ],
    ["words that share a character come back whole", "=?UTF-8?B?8J+O?= =?UTF-8?B?iA==?=", "=?UTF-8?Q?=F0=9F=8E=88?="],
    ["control characters come back in B", "=?UTF-8?Q?=00=01=02=03?=", "=?UTF-8?B?AAECAw==?="],
    ["U+FFFD comes back in B", "=?UTF-8?Q?=EF=BF=BD?=", "=?UTF-8?B?77+9?="],
    ["ISO-8859-1 comes back in UTF-8", "ÄMÄZÕÑ S3", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="],
    // The example in S3's user guide.
    [
      "UTF-8 comes back encoded twice",
      Buffer.from("ÄMÄZÕÑ S3").toString("latin1"),
      "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=",
    ],
    ["printable ASCII comes back as it is", "! =?x?= _ \t ~", "! =?x?= _ \t ~"],
  ])("%s", async (_, sent, answered) => {
    const { put, get } = await startObjects();
    await put("k", body, { Metadata: { prompt: sent } });
    expect((await get("k")).Metadata).toEqual({ prompt: answered });
  });

  test("is the same after a copy, and in a copy that replaces it", async () => {
    const { client, put, get } = await startObjects();
    const Metadata = { prompt: "=?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fa=3F=3D?=", size: "=?UTF-8?Q?gr=C3=B6=C3=9Fe?=" };
    await put("k", body, { Metadata });
    const CopySource = `${Bucket}/k`;
    await client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource }));
    await client.send(
      new CopyObjectCommand({ Bucket, Key: "replaced", CopySource, MetadataDirective: "REPLACE", Metadata }),
    );
    for (const key of ["k", "copy", "replaced"]) {
      expect((await get(key)).Metadata).toEqual({ prompt: "=?UTF-8?Q?a?=", size: "=?UTF-8?Q?gr=C3=B6=C3=9Fe?=" });
    }
  });
});

test("metadata in a presigned URL is UTF-8", async () => {
  const { client, get } = await startObjects();
  const command = new PutObjectCommand({ Bucket, Key: "k", Metadata: { prompt: "日本" } });
  expect((await fetch(await getSignedUrl(client, command), { method: "PUT", body })).status).toBe(200);
  expect((await get("k")).Metadata).toEqual({ prompt: "=?UTF-8?Q?=E6=97=A5=E6=9C=AC?=" });
});

test("another header of an object comes back as the bytes that were sent", async () => {
  const { put, get } = await startObjects();
  const CacheControl = Buffer.from("ÄMÄZÕÑ S3").toString("latin1");
  await put("k", body, { CacheControl, ContentLanguage: "größe" });
  expect(await get("k")).toMatchObject({ CacheControl, ContentLanguage: "größe" });
});

test("a presigned GET may override a header in ISO-8859-1 alone", async () => {
  const { client, put } = await startObjects();
  await put("k");
  const get = async (ResponseContentDisposition: string) =>
    fetch(await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: "k", ResponseContentDisposition })));
  expect((await get('filename="größe"')).headers.get("content-disposition")).toBe('filename="größe"');
  const refused = await get('filename="日本"');
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain("Header value cannot be represented using ISO-8859-1.");
});
