import { CopyObjectCommand } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import sharp from "sharp";
import { describe, expect, inject, test } from "vitest";
import { awsClients, type ErrorBody, eventually, newCaller, picture, type Result, type TestCaller } from "./client.ts";
import { runCommand } from "./command.ts";

const stage = inject("stage");
const { s3, sqs } = awsClients(stage);

interface Upload {
  id: string;
  url: string;
  fields: Record<string, string>;
  expires_at: string;
  max_bytes: number;
}

/** Posts the form as a browser does: the file last. */
async function post(
  { url, fields }: Pick<Upload, "url" | "fields">,
  bytes: Uint8Array,
  changes: Record<string, string> = {},
) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...fields, ...changes })) form.append(name, value);
  form.append("file", new Blob([bytes]));
  const response = await fetch(url, { method: "POST", body: form });
  return { status: response.status, text: await response.text() };
}

/** S3's notification of one object, as it lies in the queue. */
const s3Event = (key: string, sequencer: string, sizeBytes: number) =>
  JSON.stringify({
    Records: [
      {
        eventVersion: "2.1",
        eventSource: "aws:s3",
        eventName: "ObjectCreated:Put",
        s3: {
          bucket: { name: stage.bucket },
          object: { key: encodeURIComponent(key).replaceAll("%20", "+"), size: sizeBytes, sequencer },
        },
      },
    ],
  });

const notify = (body: string) => sqs.send(new SendMessageCommand({ QueueUrl: stage.queue_url, MessageBody: body }));

describe("an image put into S3", () => {
  test.each(["png", "jpeg", "webp", "gif"] as const)("becomes a result: %s", async (format) => {
    const caller = await newCaller(stage);
    const bytes = await picture(format);
    await caller.putImage(`a.${format}`, bytes);
    const [result] = await caller.finishedResults(1);
    expect(result).toMatchObject({
      kind: "vision",
      source: "s3",
      status: "succeeded",
      schema: "image_description",
      output: { description: expect.any(String) },
      image: {
        bucket: stage.bucket,
        key: `uploads/${caller.owner}/a.${format}`,
        format,
        width: 64,
        height: 48,
        size_bytes: bytes.length,
      },
    });
    expect((await caller.usage()).total_tokens).toBe(result?.usage?.total_tokens);
  });

  test.each([
    "with spaces and + and &.png",
    "ümläut/日本語 🎈.png",
    "100%25 sure?.png",
    `${"x".repeat(1024 - "uploads/t-00000000-0000-0000-0000-000000000000/.png".length)}.png`,
  ])("is found under the key %s", async (name) => {
    const caller = await newCaller(stage);
    await caller.putImage(name, await picture("png"));
    const [result] = await caller.finishedResults(1);
    expect(result).toMatchObject({ status: "succeeded", image: { key: `uploads/${caller.owner}/${name}` } });
  });

  test("may have 20 MB", async () => {
    const caller = await newCaller(stage);
    const bytes = Buffer.alloc(20 * 1024 * 1024);
    // What follows a JPEG's end marker is padding, as cameras write it.
    bytes.set(await picture("jpeg"));
    await caller.putImage("largest.jpg", bytes);
    const [result] = await caller.finishedResults(1);
    expect(result).toMatchObject({ status: "succeeded", image: { format: "jpeg", size_bytes: bytes.length } });
  });

  test("is looked at as its metadata says", async () => {
    const caller = await newCaller(stage);
    const Metadata = { schema: "image_sentiment", prompt: "What is the mood?", detail: "low", model: "gpt-4o" };
    await caller.putImage("mood.png", await picture("png"), { Metadata });
    const [result] = await caller.finishedResults(1);
    expect(result).toMatchObject({ status: "succeeded", schema: "image_sentiment", model: "gpt-4o-2024-08-06" });
    expect(result?.output).toMatchObject({ sentiment: expect.any(String), key_elements: expect.any(Array) });
  });

  const meant = "Größe und 色 of this? 🎈";
  const asHeader = (prompt: string) => async (caller: TestCaller, bytes: Buffer) => {
    await caller.putImage("prompt.png", bytes, { Metadata: { prompt } });
  };
  const asField = (prompt: string) => async (caller: TestCaller, bytes: Buffer) => {
    const Fields = { "x-amz-meta-prompt": prompt };
    const Key = `uploads/${caller.owner}/prompt.png`;
    const form = await createPresignedPost(s3, { Bucket: stage.bucket, Key, Fields });
    expect((await post(form, bytes)).status).toBe(204);
  };
  const words = "=?UTF-8?B?R3LDtsOfZSB1bmQg6A==?= =?utf-8?Q?=89=B2_of_this=3F_=F0=9F=8E=88?=";
  test.each([
    ["a header in RFC 2047", asHeader(words)],
    ["a header in UTF-8, as s3cmd sends it", asHeader(Buffer.from(meant).toString("latin1"))],
    ["a form in UTF-8", asField(meant)],
    ["a form in RFC 2047", asField(words)],
  ])("is asked about with the prompt that was meant, though it came in %s", async (_, upload) => {
    const caller = await newCaller(stage);
    const bytes = await picture("png");
    const image = { data: bytes.toString("base64") };
    const request = { images: [image], prompt: meant, schema: "image_description" };
    const asked = await caller.send<Result>("POST", "/vision", request);
    await upload(caller, bytes);
    const results = await caller.finishedResults(2);
    const uploaded = results.find(({ source }) => source === "s3");
    // OpenAI counts as many tokens, and gives the same answer, as when the prompt comes in JSON.
    expect(uploaded).toMatchObject({ status: "succeeded", output: asked.body.output });
    expect(uploaded?.usage?.prompt_tokens).toBe(asked.body.usage?.prompt_tokens);
  });

  test("is one result and one OpenAI call, though its events come many times", async () => {
    const caller = await newCaller(stage);
    const bytes = await picture("png");
    // Three copies of one event arrive while the image that S3 told of is at work, which is the same.
    await caller.putImage("thrice.png", bytes, { Metadata: { prompt: "[[fault:slow ms=1000]] What is it?" } });
    const event = s3Event(`uploads/${caller.owner}/thrice.png`, "00AA", bytes.length);
    await Promise.all([notify(event), notify(event), notify(event)]);
    await caller.finishedResults(1);
    await queueEmpty();
    await notify(event);
    await queueEmpty();
    const [result, ...others] = await caller.results();
    expect(others).toEqual([]);
    expect(result?.status).toBe("succeeded");
    expect(await caller.usage()).toMatchObject({ requests: 1, total_tokens: result?.usage?.total_tokens });
  });

  test("is one result, though its answer is larger than a DynamoDB item and its event comes again", async () => {
    const caller = await newCaller(stage);
    const bytes = await picture("png");
    const Metadata = { prompt: `[[fault:long bytes=400000]] ${caller.owner}` };
    await caller.putImage("long.png", bytes, { Metadata });
    const results = await caller.finishedResults(1);
    await notify(s3Event(`uploads/${caller.owner}/long.png`, "00AA", bytes.length));
    await queueEmpty();
    expect(await caller.results()).toEqual(results);
    expect(results[0]?.status).toBe("succeeded");
    expect(results[0]?.content?.length).toBeGreaterThan(400_000);
    expect(await caller.usage()).toMatchObject({ requests: 1, unaccounted_attempts: 0 });
  });

  test("is the same result when the same is written again, and when it is copied onto itself", async () => {
    const caller = await newCaller(stage);
    const Metadata = { prompt: "What is it?" };
    const bytes = await picture("png");
    await caller.putImage("again.png", bytes, { Metadata });
    const results = await caller.finishedResults(1);
    await caller.putImage("again.png", bytes, { Metadata });
    const Key = `uploads/${caller.owner}/again.png`;
    const CopySource = encodeURI(`${stage.bucket}/${Key}`);
    await s3.send(
      new CopyObjectCommand({ Bucket: stage.bucket, Key, CopySource, MetadataDirective: "REPLACE", Metadata }),
    );
    await queueEmpty();
    expect(await caller.results()).toEqual(results);
    expect((await caller.usage()).requests).toBe(1);
  });

  test("is looked at anew when another is written under its key", async () => {
    const caller = await newCaller(stage);
    await caller.putImage("twice.png", await picture("png"));
    await caller.finishedResults(1);
    await caller.putImage("twice.png", await picture("jpeg"));
    const results = await caller.finishedResults(2);
    expect(results.map(({ image }) => image?.format)).toEqual(["jpeg", "png"]);
  });

  test("comes back after a passing failure, and is billed once", async () => {
    const caller = await newCaller(stage);
    const Metadata = { prompt: `[[fault:500 times=1]] ${caller.owner}` };
    await caller.putImage("again.png", await picture("png"), { Metadata });
    const [result] = await caller.finishedResults(1);
    expect(result).toMatchObject({ status: "succeeded", error: null });
    expect(await caller.usage()).toMatchObject({ requests: 1, failed: 0, total_tokens: result?.usage?.total_tokens });
  });
});

describe("an object that can never be a result", () => {
  test.each<[string, () => Promise<Uint8Array> | Uint8Array, string, RegExp]>([
    ["text named .jpg", () => Buffer.from("Dear diary"), "invalid_image", /PNG, JPEG, WebP/],
    ["zero bytes", () => new Uint8Array(), "invalid_image", /empty|no bytes|zero/i],
    [
      "a truncated PNG",
      async () => (await picture("png", 640, 480)).subarray(0, 100),
      "invalid_image",
      /cut|trunc|incomplete|end/i,
    ],
    ["an SVG", () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), "unsupported_image", /SVG/],
    [
      "HEIC",
      () => Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftypheic\0\0\0\0mif1heic")]),
      "unsupported_image",
      /HEIC/,
    ],
    ["an animated GIF", animatedGif, "unsupported_image", /anima/i],
    ["21 MB", () => Buffer.alloc(21 * 1024 * 1024, 1), "image_too_large", /20/],
  ])("%s fails, tells why, costs nothing and does not come back", async (_, bytes, code, message) => {
    const caller = await newCaller(stage);
    await caller.putImage("never.jpg", await bytes());
    const [result] = await caller.finishedResults(1);
    expect(result).toMatchObject({
      status: "failed",
      usage: null,
      error: { code, message: expect.stringMatching(message) },
    });
    expect(await caller.usage()).toMatchObject({ failed: 1, total_tokens: 0, unaccounted_attempts: 0 });
    await queueEmpty();
  });

  test("an unknown schema in its metadata fails and names the schemas that there are", async () => {
    const caller = await newCaller(stage);
    await caller.putImage("a.png", await picture("png"), { Metadata: { schema: "nope" } });
    const [result] = await caller.finishedResults(1);
    expect(result).toMatchObject({
      status: "failed",
      error: { code: "invalid_request", message: expect.stringMatching(/image_description/) },
    });
  });

  test("a model's name in its metadata that is too long fails and says how long one may be", async () => {
    const caller = await newCaller(stage);
    await caller.putImage("a.png", await picture("png"), { Metadata: { model: "m".repeat(257) } });
    const [result] = await caller.finishedResults(1);
    expect(result).toMatchObject({
      status: "failed",
      error: {
        code: "invalid_request",
        message: "x-amz-meta-model: Use 1 to 256 printable ASCII characters.",
        param: "x-amz-meta-model",
      },
    });
  });
});

describe("POST /uploads", () => {
  const announce = async (
    caller: Awaited<ReturnType<typeof newCaller>>,
    body: unknown = { content_type: "image/png" },
  ) => caller.send<Upload>("POST", "/uploads", body);

  test("gives a form whose image becomes the result of that id", async () => {
    const caller = await newCaller(stage);
    const { status, body } = await announce(caller, {
      content_type: "image/png",
      schema: "image_sentiment",
      prompt: "Wie ist die Stimmung? 🎈",
      metadata: { order: "7" },
    });
    expect(status).toBe(201);
    expect(body.max_bytes).toBe(20 * 1024 * 1024);
    expect((await caller.send<Result>("GET", `/results/${body.id}`)).body.status).toBe("awaiting_upload");
    expect((await post(body, await picture("png"))).status).toBe(201);
    expect(await caller.finished(body.id)).toMatchObject({
      status: "succeeded",
      schema: "image_sentiment",
      metadata: { order: "7" },
      image: { key: `uploads/${caller.owner}/${body.id}`, format: "png" },
    });
  });

  test.each<[string, Record<string, string>, Uint8Array, RegExp]>([
    ["another key", { key: "uploads/someone-else/a.png" }, Buffer.from("x"), /AccessDenied/],
    ["another result", { "x-amz-meta-announced": "res_01M823XC6ZAKEXXEV2NJ4XQAGE" }, Buffer.from("x"), /AccessDenied/],
    ["another content type", { "Content-Type": "text/html" }, Buffer.from("x"), /AccessDenied/],
    [
      "a wrong signature",
      { "X-Amz-Signature": "0".repeat(64) },
      Buffer.from("x"),
      /SignatureDoesNotMatch|AccessDenied/,
    ],
    ["21 MB", {}, Buffer.alloc(21 * 1024 * 1024), /EntityTooLarge/],
    ["nothing", {}, Buffer.alloc(0), /EntityTooSmall/],
  ])("gives a form that S3 refuses with %s", async (_, changes, bytes, refusal) => {
    const caller = await newCaller(stage);
    const { body } = await announce(caller);
    const { status, text } = await post(body, bytes, changes);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).toMatch(refusal);
    expect((await caller.send<Result>("GET", `/results/${body.id}`)).body.status).toBe("awaiting_upload");
  });

  test("a form used twice gives the second image a result of its own, asked about alike", async () => {
    const caller = await newCaller(stage);
    const { body } = await announce(caller, { content_type: "image/png", schema: "image_sentiment" });
    await post(body, await picture("png"));
    await caller.finished(body.id);
    await post(body, await picture("jpeg"));
    const results = await caller.finishedResults(2);
    const first = results.find(({ id }) => id === body.id);
    const second = results.find(({ id }) => id !== body.id);
    expect(first).toMatchObject({ schema: "image_sentiment", image: { format: "png" } });
    expect(second).toMatchObject({ schema: "image_sentiment", image: { format: "jpeg" } });
  });

  test("a form counts each image after its first against the rate of its key", async () => {
    const caller = await newCaller(stage, { rpm: 2 });
    const { body } = await announce(caller);
    await post(body, await picture("png"));
    await caller.finished(body.id);
    await post(body, await picture("jpeg"));
    const results = await caller.finishedResults(2);
    expect(results.map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
    const refused = await caller.send<ErrorBody>("POST", "/uploads", { content_type: "image/png" });
    expect([refused.status, refused.body.error.code]).toEqual([429, "rate_limited"]);
  });

  test("a form whose key has been revoked since has its image fail unasked", async () => {
    const caller = await newCaller(stage);
    const { body } = await announce(caller);
    expect((await runCommand(stage, "keys", "revoke", caller.keyId)).status).toBe(0);
    await post(body, await picture("png"));
    // API Gateway remembers the key for a minute, so that its owner can still look.
    expect(await caller.finished(body.id)).toMatchObject({
      status: "failed",
      usage: null,
      error: { code: "invalid_api_key", message: expect.stringMatching(/revoked/) },
    });
  });

  test("a form whose result was deleted before its image came has the image fail unasked", async () => {
    const caller = await newCaller(stage);
    const { body } = await announce(caller);
    expect((await caller.send("DELETE", `/results/${body.id}`)).status).toBe(200);
    await post(body, await picture("png"));
    const [result] = await caller.finishedResults(1);
    expect(result).toMatchObject({ status: "failed", usage: null, error: { code: "not_found" } });
    expect(result?.id).not.toBe(body.id);
    expect((await caller.usage()).total_tokens).toBe(0);
  });

  test.each([
    [{}, "content_type"],
    [{ content_type: "image/heic" }, "content_type"],
    [{ content_type: "image/png", schema: "nope" }, "schema"],
    [{ content_type: "image/png", detail: "most" }, "detail"],
    [{ content_type: "image/png", model: "😀" }, "model"],
    [{ content_type: "image/png", colour: "red" }, "colour"],
  ])("refuses %j, naming %s", async (body, param) => {
    const caller = await newCaller(stage);
    const answer = await caller.send<ErrorBody>("POST", "/uploads", body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatchObject({ code: "invalid_request", param });
    expect(await caller.results()).toEqual([]);
  });
});

async function queueEmpty(): Promise<void> {
  const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  await eventually(async () => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: stage.queue_url, AttributeNames: [...AttributeNames] }),
    );
    return AttributeNames.every((name) => Attributes[name] === "0") ? true : null;
  });
}

async function animatedGif(): Promise<Buffer> {
  const frame = (background: string) => ({ create: { width: 8, height: 8, channels: 3 as const, background } });
  const frames = await Promise.all([frame("red"), frame("blue")].map((one) => sharp(one).png().toBuffer()));
  return sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer();
}
