import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { billedUsage, type ErrorBody, newCaller, picture, type Result, type TestCaller, unique } from "./client.ts";

const stage = inject("stage");
let caller: TestCaller;
beforeAll(async () => {
  caller = await newCaller(stage);
});

const vision = <T = Result>(body: unknown, headers?: Record<string, string>) =>
  caller.send<T>("POST", "/vision", body, headers);
const base64 = async (...args: Parameters<typeof picture>) => (await picture(...args)).toString("base64");

describe("POST /vision", () => {
  test.each(["png", "jpeg", "webp", "gif"] as const)("looks at a %s given as base64", async (format) => {
    const { status, body } = await vision({ images: [{ data: await base64(format) }], schema: "image_description" });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      kind: "vision",
      status: "succeeded",
      schema: "image_description",
      image: { bucket: null, key: null, format, width: 64, height: 48 },
    });
    expect(body.output).toMatchObject({ description: expect.any(String) });
    expect(body.usage).toMatchObject(await billedUsage(stage, body));
  });

  test("looks at an image given as a data: URL, whatever type the URL claims", async () => {
    const url = `data:image/jpeg;base64,${await base64("png")}`;
    const { body } = await vision({ images: [{ url }], prompt: unique() });
    expect(body).toMatchObject({ status: "succeeded", image: { format: "png" } });
  });

  test("lets OpenAI fetch an image behind an http URL", async () => {
    const bytes = await picture("jpeg");
    const server = createServer((_, response) => response.setHeader("content-type", "image/jpeg").end(bytes));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    const { body } = await vision({ images: [{ url: `http://127.0.0.1:${port}/a.jpg` }], prompt: unique() });
    server.close();
    expect(body).toMatchObject({ status: "succeeded", image: null });
  });

  test("looks at several images at once", async () => {
    const images = [{ data: await base64("png") }, { data: await base64("jpeg") }];
    const { body } = await vision({ images, prompt: `Compare. ${unique()}`, schema: "image_sentiment" });
    expect(body).toMatchObject({ status: "succeeded", image: null, output: { sentiment: expect.any(String) } });
  });

  test("bills detail low less than detail high", async () => {
    const data = await base64("png", 1024, 1024);
    const low = await vision({ images: [{ data }], detail: "low", model: "gpt-4o" });
    const high = await vision({ images: [{ data }], detail: "high", model: "gpt-4o" });
    // 85 tokens against 85 + 170 for each of four tiles of 512 px, as 1024×1024 is shrunk to 768×768.
    expect((high.body.usage?.prompt_tokens ?? 0) - (low.body.usage?.prompt_tokens ?? 0)).toBe(4 * 170);
  });

  test("looks at an image that was uploaded before", async () => {
    const owner = await newCaller(stage);
    await owner.putImage("earlier.png", await picture("png"));
    const [stored] = await owner.finishedResults(1);
    const { status, body } = await owner.send("POST", "/vision", {
      images: [{ upload: stored?.id }],
      prompt: "Again.",
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: "succeeded",
      image: { key: `uploads/${owner.owner}/earlier.png`, format: "png" },
    });
  });

  test("does not show one owner the uploads of another", async () => {
    const other = await newCaller(stage);
    await other.putImage("secret.png", await picture("png"));
    const [secret] = await other.finishedResults(1);
    const { status, body } = await vision<ErrorBody>({ images: [{ upload: secret?.id }] });
    expect(status).toBe(404);
    expect(body.error).toMatchObject({ code: "not_found", param: "images[0].upload" });
  });
});

describe("POST /vision refuses before anything is billed or stored", () => {
  const text = Buffer.from("This is no picture.").toString("base64");

  test.each<[string, () => Promise<unknown> | unknown, number, string, string, RegExp]>([
    ["no images", () => ({ images: [] }), 400, "invalid_request", "images", /at least one/i],
    [
      "21 images",
      () => ({ images: Array(21).fill({ url: "https://example.com/a.png" }) }),
      400,
      "invalid_request",
      "images",
      /20/,
    ],
    ["a text file", () => ({ images: [{ data: text }] }), 400, "invalid_image", "images[0].data", /PNG, JPEG, WebP/],
    ["what is not base64", () => ({ images: [{ data: "%%%" }] }), 400, "invalid_image", "images[0].data", /base64/],
    [
      "a file: URL",
      () => ({ images: [{ url: "file:///etc/passwd" }] }),
      400,
      "invalid_request",
      "images[0].url",
      /http/,
    ],
    [
      "a truncated image",
      async () => ({ images: [{ data: (await picture("jpeg", 640, 480)).subarray(0, 400).toString("base64") }] }),
      400,
      "invalid_image",
      "images[0].data",
      /cut|trunc|incomplete|end/i,
    ],
    [
      "an unknown field",
      () => ({ images: [{ url: `data:image/png;base64,${text}`, extra: 1 }] }),
      400,
      "invalid_request",
      "images[0].extra",
      /unknown/i,
    ],
    [
      "an unknown schema",
      async () => ({ images: [{ data: await base64("png") }], schema: "nope" }),
      400,
      "invalid_request",
      "schema",
      /image_description/,
    ],
    [
      "an unknown upload",
      () => ({ images: [{ upload: "res_00000000000000000000000000" }] }),
      404,
      "not_found",
      "images[0].upload",
      /upload/i,
    ],
  ])("%s", async (_, body, status, code, param, message) => {
    const owner = await newCaller(stage);
    const answer = await owner.send<ErrorBody>("POST", "/vision", await body());
    expect(answer.body.error).toMatchObject({
      code,
      param,
      message: expect.stringMatching(message),
    });
    expect(answer.status).toBe(status);
    expect(await owner.results()).toEqual([]);
    expect((await owner.usage()).requests).toBe(0);
  });
});
