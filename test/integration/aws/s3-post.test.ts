import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { createPresignedPost, type PresignedPostOptions } from "@aws-sdk/s3-presigned-post";
import { describe, expect, test } from "vitest";
import { allow, functionPrincipal } from "./fixtures.ts";
import { bucket, send, startBucket } from "./s3-fixtures.ts";

const Bucket = bucket;
const uploader = functionPrincipal("uploader", [allow(["s3:PutObject"], [`arn:aws:s3:::${bucket}/uploads/*`])]);
const elsewhere = functionPrincipal("elsewhere", [allow(["s3:PutObject"], [`arn:aws:s3:::${bucket}/other/*`])]);

async function startForms() {
  const s3 = await startBucket({ principals: [uploader, elsewhere] });
  const presign = (options: Partial<PresignedPostOptions> = {}, principal = uploader) =>
    createPresignedPost(s3.clientOf(principal), { Bucket, Key: "uploads/acme/cat.png", ...options });
  const post = async (
    form: { url: string; fields: Record<string, string> },
    changes: Record<string, string | null> = {},
    file: string | Blob = "bytes",
    filename = "cat.png",
  ) => {
    const data = new FormData();
    for (const [name, value] of Object.entries({ ...form.fields, ...changes })) {
      if (value !== null) data.append(name, value);
    }
    data.append("file", file instanceof Blob ? file : new Blob([file]), filename);
    const response = await fetch(form.url, { method: "POST", body: data, redirect: "manual" });
    const text = await response.text();
    const [code, message] = [
      /<Code>(\w+)/.exec(text)?.[1],
      /<Message>(.*?)<\/Message>/s.exec(text)?.[1]?.replaceAll("&#34;", '"'),
    ];
    return { status: response.status, headers: response.headers, text, code, message };
  };
  return { ...s3, presign, post };
}

describe("a form that fulfils its policy", () => {
  test("stores its file with content type and metadata", async () => {
    const { presign, post, client } = await startForms();
    const form = await presign({
      Fields: { "Content-Type": "image/png", "x-amz-meta-prompt": "What is it?" },
      Conditions: [["content-length-range", 1, 10]],
    });
    const { status, headers } = await post(form);
    expect(status).toBe(204);
    expect(headers.get("etag")).toMatch(/^"[0-9a-f]{32}"$/);
    const object = await client.send(new GetObjectCommand({ Bucket, Key: "uploads/acme/cat.png" }));
    expect(object).toMatchObject({ ContentType: "image/png", Metadata: { prompt: "What is it?" } });
    expect(await object.Body?.transformToString()).toBe("bytes");
  });

  test("may take its key's end from the file's name", async () => {
    const { presign, post, client } = await startForms();
    // biome-ignore lint/suspicious/noTemplateCurlyInString: S3's variable.
    const form = await presign({ Key: "uploads/${filename}" });
    expect((await post(form, {}, "x", "näme $& 1.png")).status).toBe(204);
    await client.send(new HeadObjectCommand({ Bucket, Key: "uploads/näme $& 1.png" }));
  });

  test("is answered as success_action_status and success_action_redirect wish", async () => {
    const { presign, post } = await startForms();
    const withStatus = (status: string) => presign({ Fields: { success_action_status: status } });
    expect((await post(await withStatus("200"))).status).toBe(200);
    const created = await post(await withStatus("201"));
    expect(created.status).toBe(201);
    expect(created.text).toContain(`<Bucket>${bucket}</Bucket><Key>uploads/acme/cat.png</Key>`);
    expect((await post(await withStatus("418"))).status).toBe(204);
    const redirected = await post(await presign({ Fields: { success_action_redirect: "http://127.0.0.1/done?x=1" } }));
    expect(redirected.status).toBe(303);
    expect(redirected.headers.get("location")).toMatch(
      /^http:\/\/127\.0\.0\.1\/done\?x=1&bucket=.*&key=uploads%2Facme%2Fcat\.png&etag=/,
    );
  });

  test("may carry fields to be ignored", async () => {
    const { presign, post } = await startForms();
    expect((await post(await presign(), { "x-ignore-this": "1" })).status).toBe(204);
  });

  test("may carry text that is not ASCII: metadata comes back encoded, another header only in ISO-8859-1", async () => {
    const { presign, post, client } = await startForms();
    const Fields = {
      "x-amz-meta-note": "日本",
      "x-amz-meta-word": "=?UTF-8?Q?as_it_is?=",
      "Content-Disposition": 'filename="日本 größe.png"',
    };
    expect((await post(await presign({ Fields }))).status).toBe(204);
    const object = await client.send(new HeadObjectCommand({ Bucket, Key: "uploads/acme/cat.png" }));
    expect(object).toMatchObject({
      Metadata: { note: "=?UTF-8?Q?=E6=97=A5=E6=9C=AC?=", word: "=?UTF-8?Q?as_it_is?=" },
      ContentDisposition: 'filename="   größe.png"',
    });
  });
});

describe("a form is refused", () => {
  const invalid = "Invalid according to Policy:";

  test("when its file is larger or smaller than allowed", async () => {
    const { presign, post } = await startForms();
    const form = await presign({ Conditions: [["content-length-range", 2, 4]] });
    const large = await post(form, {}, "12345");
    expect(large).toMatchObject({ status: 400, code: "EntityTooLarge" });
    expect(large.text).toContain("<MaxSizeAllowed>4</MaxSizeAllowed>");
    expect(await post(form, {}, "1")).toMatchObject({ status: 400, code: "EntityTooSmall" });
    expect(await post(form, {}, new Blob([Buffer.alloc(5_000_000)]))).toMatchObject({ code: "EntityTooLarge" });
  });

  test("when another key is sent than was signed", async () => {
    const { presign, post } = await startForms();
    expect(await post(await presign(), { key: "uploads/mallory/cat.png" })).toMatchObject({
      status: 403,
      code: "AccessDenied",
      message: `${invalid} Policy Condition failed: ["eq", "$key", "uploads/acme/cat.png"]`,
    });
  });

  test("when a value does not start as it must, or is missing", async () => {
    const { presign, post } = await startForms();
    const form = await presign({ Conditions: [["starts-with", "$Content-Type", "image/"]] });
    const message = `${invalid} Policy Condition failed: ["starts-with", "$Content-Type", "image/"]`;
    expect(await post(form, { "Content-Type": "text/html" })).toMatchObject({ status: 403, message });
    expect(await post(form)).toMatchObject({ status: 403, message });
    expect((await post(form, { "Content-Type": "image/gif" })).status).toBe(204);
  });

  test("when it has a field that the policy does not cover", async () => {
    const { presign, post } = await startForms();
    expect(await post(await presign(), { "x-amz-meta-model": "gpt-6-astra" })).toMatchObject({
      status: 403,
      message: `${invalid} Extra input fields: x-amz-meta-model`,
    });
  });

  test("when its policy has expired", async () => {
    const { presign, post } = await startForms();
    expect(await post(await presign({ Expires: 0 }))).toMatchObject({
      status: 403,
      message: `${invalid} Policy expired.`,
    });
  });

  test("when it goes to another bucket than was signed", async () => {
    const { presign, post } = await startForms();
    const form = await presign();
    const url = form.url.replace(bucket, "tollgate-other");
    expect(await post({ ...form, url })).toMatchObject({ status: 403, message: expect.stringContaining('"$bucket"') });
  });

  test("when its policy, signature or credential was changed", async () => {
    const { presign, post } = await startForms();
    const form = await presign();
    const wider = JSON.parse(Buffer.from(form.fields.Policy ?? "", "base64").toString());
    wider.expiration = "2999-01-01T00:00:00Z";
    const Policy = Buffer.from(JSON.stringify(wider)).toString("base64");
    expect(await post(form, { Policy })).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
    expect(await post(form, { "X-Amz-Signature": "0".repeat(64) })).toMatchObject({ code: "SignatureDoesNotMatch" });
    const credential = form.fields["X-Amz-Credential"] ?? "";
    expect(
      await post(form, { "X-Amz-Credential": credential.replace(uploader.accessKeyId, "AKIAUNKNOWN") }),
    ).toMatchObject({
      status: 403,
      code: "InvalidAccessKeyId",
    });
    expect(await post(form, { "X-Amz-Credential": "nonsense" })).toMatchObject({
      status: 400,
      code: "InvalidArgument",
    });
  });

  test("when it has no policy, no signature or no key", async () => {
    const { presign, post } = await startForms();
    const form = await presign();
    expect(await post(form, { Policy: null })).toMatchObject({ status: 403, code: "AccessDenied" });
    expect(await post(form, { "X-Amz-Signature": null })).toMatchObject({ status: 400, code: "InvalidArgument" });
    expect(await post(form, { key: null })).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  test("when its signer may not write that key", async () => {
    const { presign, post } = await startForms();
    expect(await post(await presign({}, elsewhere))).toMatchObject({
      status: 403,
      message: expect.stringContaining("assumed-role/elsewhere/elsewhere is not authorized to perform: s3:PutObject"),
    });
  });

  test("when its policy is not one, though signed", async () => {
    const { presign, post } = await startForms();
    const form = await presign({ Conditions: [["ends-with", "$key", ".png"] as unknown as ["eq", string, string]] });
    expect(await post(form)).toMatchObject({ status: 400, code: "InvalidPolicyDocument" });
  });

  test("when it ends in the middle of its file, and nothing is stored", async () => {
    const { presign, endpoint, client } = await startForms();
    const { fields } = await presign();
    const parts = Object.entries(fields).map(
      ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    const file = '--b\r\nContent-Disposition: form-data; name="file"; filename="cat.png"\r\n\r\nhalf a c';
    const headers = { "content-type": "multipart/form-data; boundary=b" };
    const { status, text } = await send(endpoint, "POST", `/${bucket}`, headers, Buffer.from(parts.join("") + file));
    expect([status, /<Code>(\w+)/.exec(text)?.[1]]).toEqual([400, "MalformedPOSTRequest"]);
    await expect(client.send(new HeadObjectCommand({ Bucket, Key: "uploads/acme/cat.png" }))).rejects.toMatchObject({
      name: "NotFound",
    });
  });

  test("when it has no file or is no form", async () => {
    const { endpoint } = await startForms();
    const body = '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--b--\r\n';
    const sendForm = (text: string, boundary = "; boundary=b") =>
      send(endpoint, "POST", `/${bucket}`, { "content-type": `multipart/form-data${boundary}` }, Buffer.from(text));
    const codes = [];
    for (const [text, boundary] of [[body], [body, ""], ["no form at all"]] as const) {
      const answer = await sendForm(text, boundary);
      codes.push([answer.status, /<Code>(\w+)/.exec(answer.text)?.[1]]);
    }
    expect(codes).toEqual([
      [400, "InvalidArgument"],
      [400, "MalformedPOSTRequest"],
      [400, "MalformedPOSTRequest"],
    ]);
  });

  test("when it asks for what S3 would do and the local S3 cannot", async () => {
    const { presign, post } = await startForms();
    const asking = async (Fields: Record<string, string>) => post(await presign({ Fields }));
    expect(await asking({ tagging: "<Tagging/>" })).toMatchObject({ status: 501, code: "NotImplemented" });
    expect(await asking({ acl: "public-read" })).toMatchObject({ status: 400, code: "AccessControlListNotSupported" });
    expect((await asking({ acl: "private" })).status).toBe(204);
  });

  test("when its fields are larger than 20 KB", async () => {
    const { presign, post } = await startForms();
    expect(await post(await presign(), { "x-ignore-much": "x".repeat(21_000) })).toMatchObject({
      status: 400,
      code: "MaxPostPreDataLengthExceeded",
    });
  });
});
