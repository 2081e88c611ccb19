import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Stage, startStage } from "@tollgate/local/stage";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { evaluate } from "../../packages/local/src/synth/evaluate.ts";
import { readManifest } from "../../packages/local/src/synth/read.ts";
import { billedUsage, newCaller, type Result, type TestCaller } from "./client.ts";

const root = resolve(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "tollgate-shrink-"));
let stage: Stage;
let caller: TestCaller;
let photo: Buffer;

beforeAll(async () => {
  const manifest = readManifest(
    // It shows less of a picture than the default model.
    await evaluate(root, "local", { SHRINK_IMAGES: "true", DEFAULT_MODEL: "gpt-5.4" }),
  );
  stage = await startStage({ root, dir, port: 0, manifest });
  caller = await newCaller(stage.info);
  photo = await sharp({
    create: {
      width: 3600,
      height: 2400,
      channels: 3,
      background: "teal",
      noise: { type: "gaussian", mean: 128, sigma: 9 },
    },
  })
    .jpeg({ quality: 80 })
    .toBuffer();
});
afterAll(async () => {
  await stage?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** What the simulated OpenAI says that it was shown. */
const shown = ({ output }: Result) =>
  /A (?<format>\w+) image of (?<size>\d+×\d+) pixels \((?<bytes>\d+) bytes\)/.exec(JSON.stringify(output))?.groups ??
  {};

describe("a stage that shrinks images", () => {
  const schema = "image_description";

  test.each([
    [
      "put into the bucket",
      async () => {
        await caller.putImage("photo.jpg", photo);
        const [result] = await caller.finishedResults(1);
        return result;
      },
    ],
    [
      "inside a request",
      async () => {
        const { body } = await caller.send<Result>("POST", "/vision", {
          images: [{ data: photo.toString("base64") }],
          schema,
        });
        return body;
      },
    ],
    [
      "inside a request that is deferred",
      async () => {
        const request = { images: [{ data: photo.toString("base64") }], schema };
        const { body } = await caller.send<Result>("POST", "/vision", request, { prefer: "respond-async" });
        return caller.finished(body.id);
      },
    ],
  ])("sends one that was %s as OpenAI would shrink it, and tells of the one that came", async (_, ask) => {
    const result = await ask();
    if (!result) throw new Error("There is no result.");
    const { format, size, bytes } = shown(result);
    expect({ format, size }).toEqual({ format: "jpeg", size: "1920×1280" });
    expect(Number(bytes)).toBeLessThan(photo.length / 2);
    expect(result.image).toMatchObject({ format: "jpeg", width: 3600, height: 2400, size_bytes: photo.length });
  });

  test("is billed the tokens that the image would have cost as it came", async () => {
    const request = { model: "gpt-5.4", images: [{ data: photo.toString("base64") }], prompt: "Look." };
    const here = await caller.send<Result>("POST", "/vision", request);
    const plain = inject("stage");
    const there = await (await newCaller(plain)).send<Result>("POST", "/vision", request);
    expect(here.body.usage?.prompt_tokens).toBe(there.body.usage?.prompt_tokens);
    expect(here.body.usage).toMatchObject(await billedUsage(stage.info, here.body));
  });
});
