import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { type Stage, startStage } from "@tollgate/local/stage";
import { evaluate } from "@tollgate/local/synth/evaluate";
import { installPlatform } from "@tollgate/local/synth/platform";
import { readManifest } from "@tollgate/local/synth/read";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  awsClients,
  type ErrorBody,
  newCaller,
  picture,
  type Result,
  type TestCaller,
  unique,
  userMessage,
} from "./client.ts";
import { runCommand } from "./command.ts";

const root = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "tollgate-expiry-"));
const ttlDays = 30;
const daySeconds = 24 * 3600;

let stage: Stage;
let caller: TestCaller;

beforeAll(async () => {
  await installPlatform(root);
  const manifest = readManifest(await evaluate(root, "local", { RESULT_TTL_DAYS: String(ttlDays) }));
  stage = await startStage({ root, dir, port: 0, manifest });
  caller = await newCaller(stage.info);
});
afterAll(async () => {
  await stage.stop();
  rmSync(dir, { recursive: true, force: true });
});

const keyOf = (id: string) => ({ pk: `result#${id}`, sk: "result" });
const expiresAt = async (id: string): Promise<unknown> => {
  const { Item } = await awsClients(stage.info).dynamodb.send(
    new GetCommand({ TableName: stage.info.table, Key: keyOf(id) }),
  );
  return Item?.expires_at;
};

/** As if its days were over, and DynamoDB had not come by yet. */
async function expire(id: string): Promise<void> {
  await awsClients(stage.info).dynamodb.send(
    new UpdateCommand({
      TableName: stage.info.table,
      Key: keyOf(id),
      UpdateExpression: "SET expires_at = :now",
      ExpressionAttributeValues: { ":now": Math.floor(Date.now() / 1000) },
    }),
  );
}

const ask = (text: string, headers: Record<string, string> = {}) =>
  caller.send<Result>("POST", "/chat", { messages: userMessage(text) }, headers);

describe("on a stage with RESULT_TTL_DAYS", () => {
  test.each<[string, () => Promise<Result>]>([
    ["a chat", async () => (await ask(unique())).body],
    [
      "a chat that failed",
      async () => {
        const { body } = await caller.send<ErrorBody>("POST", "/chat", {
          messages: userMessage(`[[fault:off_schema]] ${unique()}`),
          schema: "sentiment",
        });
        return caller.finished(body.error.result_id ?? "");
      },
    ],
    ["a deferred chat", async () => caller.finished((await ask(unique(), { prefer: "respond-async" })).body.id)],
    [
      "an image",
      async () => {
        const owner = await newCaller(stage.info);
        await owner.putImage("cat.png", await picture("png", 51, 52));
        const [image] = await owner.finishedResults(1);
        return image as Result;
      },
    ],
  ])("%s expires after its days", async (_, end) => {
    const { id, completed_at } = await end();
    const endedSeconds = Math.floor(Date.parse(completed_at ?? "") / 1000);
    expect(await expiresAt(id)).toBe(endedSeconds + ttlDays * daySeconds);
  });

  test("a result past its time is gone, and its tokens stay on the ledger", async () => {
    const owner = await newCaller(stage.info);
    const { body } = await owner.send<Result>("POST", "/chat", { messages: userMessage(unique()) });
    const usage = await owner.usage();
    await expire(body.id);

    for (const method of ["GET", "DELETE"]) {
      const { status, body: told } = await owner.send<ErrorBody>(method, `/results/${body.id}`);
      expect([method, status, told.error.code]).toEqual([method, 404, "not_found"]);
    }
    expect(await owner.results()).toEqual([]);
    expect(await owner.usage()).toEqual(usage);
  });

  test("its Idempotency-Key is free again", async () => {
    const [text, key] = [unique(), { "idempotency-key": unique() }];
    const first = await ask(text, key);
    expect((await ask(text, key)).body).toEqual(first.body);
    await expire(first.body.id);

    const second = await ask(text, key);
    expect(second.body.id).toBe(first.body.id);
    expect(second.body.openai?.id).not.toBe(first.body.openai?.id);
    expect(second.headers.get("idempotent-replayed")).toBeNull();
    expect((await caller.send<Result>("GET", `/results/${second.body.id}`)).body).toEqual(second.body);
  });

  test("npm run audit agrees from the day on that it is given", async () => {
    const tomorrow = new Date(Date.now() + daySeconds * 1000).toISOString().slice(0, 10);
    const { status, stdout } = await runCommand(stage.info, "audit", "--from", tomorrow);
    expect([status, stdout.split("\n").at(-1)]).toEqual([0, "Everything agrees."]);
    // The key that was used again has replaced a result of today.
    expect((await runCommand(stage.info, "audit")).status).toBe(1);
  });
});
