import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readManifest } from "@tollgate/local/manifest";
import { type Stage, startStage } from "@tollgate/local/stage";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runtimeClient } from "../runtime-client.ts";
import { type ErrorBody, eventually, newCaller, picture, type Result, unique, userMessage } from "./client.ts";

const root = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "tollgate-functions-"));
const manifest = readManifest(root);
for (const schedule of Object.values(manifest.schedules)) schedule.everySeconds = 1;

/** What the functions called, as `Sweep Query`. */
const called = new Set<string>();
/** Functions that DynamoDB takes no transaction of. */
const cutOff = new Set<string>();
let stage: Stage;

beforeAll(async () => {
  stage = await startStage({
    root,
    dir,
    port: 0,
    manifest,
    runtimeClient,
    faults: ({ principal, operation }) => {
      called.add(`${principal} ${operation}`);
      return operation === "TransactWriteItems" && cutOff.has(principal) ? { kind: "unavailable" } : null;
    },
  });
});
afterAll(async () => {
  await stage.stop();
  rmSync(dir, { recursive: true, force: true });
});

const chat = () => ({ model: "gpt-4o-mini", messages: userMessage(unique()) });

/** By the function's name in `infra/`: has it do its work, through what calls it there. */
const work: Record<string, () => Promise<void>> = {
  async Health() {
    const response = await fetch(`${stage.info.api}/health`);
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
  },
  async OpenApi() {
    const response = await fetch(`${stage.info.api}/openapi.json`);
    expect([response.status, await response.json()]).toMatchObject([200, { openapi: expect.stringMatching(/^3\.1/) }]);
  },
  async NotFound() {
    const response = await fetch(`${stage.info.api}/v1/embeddings`, { method: "POST", body: "{}" });
    expect([response.status, await response.json()]).toMatchObject([404, { error: { code: "not_found" } }]);
  },
  async Authorizer() {
    const caller = await newCaller(stage.info);
    expect((await caller.send("GET", "/schemas")).status).toBe(200);
    const refused = await caller.send<ErrorBody>("GET", "/schemas", undefined, { authorization: "Bearer wrong" });
    expect(refused).toMatchObject({ status: 401, body: { error: { code: "invalid_api_key" } } });
    expect(called).toContain("Authorizer GetItem");
  },
  async Schemas() {
    const caller = await newCaller(stage.info);
    expect(await caller.send("GET", "/schemas/sentiment")).toMatchObject({ status: 200, body: { name: "sentiment" } });
  },
  async Chat() {
    const caller = await newCaller(stage.info);
    const answered = await caller.send<Result>("POST", "/chat", chat());
    expect(answered).toMatchObject({ status: 200, body: { status: "succeeded" } });
    const streamed = await caller.send<string>("POST", "/chat", { ...chat(), stream: true });
    expect(streamed.headers.get("content-type")).toMatch(/^text\/event-stream/);
    expect(streamed.body).toMatch(/\nevent: result\ndata: {.*"status":"succeeded".*}\n\ndata: \[DONE\]\n\n$/);
  },
  async Vision() {
    const caller = await newCaller(stage.info);
    const images = [{ data: (await picture("png", 50, 51)).toString("base64") }];
    const { status, body } = await caller.send<Result>("POST", "/vision", { images, prompt: unique() });
    expect([status, body.status]).toEqual([200, "succeeded"]);
  },
  async OpenAI() {
    const caller = await newCaller(stage.info);
    expect((await caller.send("GET", "/v1/models")).status).toBe(200);
    const { status, body } = await caller.send<string>("POST", "/v1/chat/completions", { ...chat(), stream: true });
    expect(status).toBe(200);
    expect(body).toMatch(/"finish_reason":"stop".*\n\ndata: \[DONE\]\n\n$/s);
  },
  async Uploads() {
    const caller = await newCaller(stage.info);
    const { status, body } = await caller.send("POST", "/uploads", { content_type: "image/png" });
    expect([status, body]).toMatchObject([201, { url: expect.stringMatching(/^http/), fields: expect.any(Object) }]);
  },
  async Results() {
    const caller = await newCaller(stage.info);
    const { body } = await caller.send<Result>("POST", "/chat", chat());
    expect((await caller.send<Result>("GET", `/results/${body.id}`)).body).toMatchObject({ id: body.id });
    expect((await caller.results()).map(({ id }) => id)).toEqual([body.id]);
  },
  async Usage() {
    const caller = await newCaller(stage.info);
    await caller.send<Result>("POST", "/chat", chat());
    expect(await caller.usage()).toMatchObject({ requests: 1 });
  },
  async ImageUploaded() {
    const caller = await newCaller(stage.info);
    await caller.putImage("cat.webp", await picture("webp", 52, 53));
    expect(await caller.finishedResults(1)).toMatchObject([{ source: "s3", status: "succeeded" }]);
  },
  async RequestDeferred() {
    const caller = await newCaller(stage.info);
    const { status, body } = await caller.send<Result>("POST", "/chat", chat(), { prefer: "respond-async" });
    expect([status, body.status]).toEqual([202, "running"]);
    expect((await caller.finished(body.id)).status).toBe("succeeded");
  },
  async SettleLater() {
    const caller = await newCaller(stage.info);
    cutOff.add("Vision");
    const images = [{ data: (await picture("png", 54, 55)).toString("base64") }];
    const { status } = await caller.send<Result>("POST", "/vision", { images, prompt: unique() });
    cutOff.delete("Vision");
    expect(status).toBe(200);
    expect(await caller.finishedResults(1)).toMatchObject([{ status: "succeeded" }]);
    expect(called).toContain("SettleLater TransactWriteItems");
  },
  async Sweep() {
    await eventually(async () => called.has("Sweep Query") || null);
  },
};

test("the functions of infra/ are the ones that are tried here", () => {
  expect(Object.keys(work).sort()).toEqual(Object.keys(manifest.functions).sort());
});

test.each(Object.entries(work))("%s does its work", async (_, invoked) => {
  await invoked();
});
