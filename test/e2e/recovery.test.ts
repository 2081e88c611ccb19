import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetQueueUrlCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { type Manifest, readManifest } from "@tollgate/local/manifest";
import { type Stage, startStage } from "@tollgate/local/stage";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runtimeClient } from "../runtime-client.ts";
import {
  awsClients,
  billed,
  eventually,
  newCaller,
  picture,
  type Result,
  type TestCaller,
  unique,
  userMessage,
} from "./client.ts";
import { runCommand, runInSstShell } from "./command.ts";

const root = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "tollgate-recovery-"));

/** The stage of `infra/`, but that a message is dead after its second receive and that the sweep comes by each second. */
function impatient(): Manifest {
  const manifest = readManifest(root);
  for (const queue of Object.values(manifest.queues)) if (queue.deadLetter) queue.deadLetter.maxReceiveCount = 2;
  for (const { environment } of Object.values(manifest.functions)) {
    if (environment.MAX_RECEIVE_COUNT) environment.MAX_RECEIVE_COUNT = "2";
    if (environment.SWEEP_HTTP_GRACE_MS) environment.SWEEP_HTTP_GRACE_MS = "1";
    if (environment.OPENAI_ATTEMPT_TIMEOUT_MS) environment.OPENAI_ATTEMPT_TIMEOUT_MS = "60000";
  }
  for (const schedule of Object.values(manifest.schedules)) schedule.everySeconds = 1;
  return manifest;
}

/** The function whose environments are killed as it settles, once. */
let killNext: string | null = null;
/** Functions that DynamoDB takes no transaction of, but for so many. */
const cutOff = new Map<string, number>();
let stage: Stage;

beforeAll(async () => {
  stage = await startStage({
    root,
    dir,
    port: 0,
    runtimeClient,
    manifest: impatient(),
    faults: ({ principal, operation }) => {
      if (operation !== "TransactWriteItems") return null;
      const left = cutOff.get(principal);
      if (left !== undefined) cutOff.set(principal, left - 1);
      if (left !== undefined && left <= 0) return { kind: "unavailable" };
      if (principal !== killNext) return null;
      killNext = null;
      return { kind: "killed_before" };
    },
  });
});
afterAll(async () => {
  await stage.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe("a result whose function died, and that nobody asks for again", () => {
  test("is ended by the sweep, and its attempt is counted", async () => {
    const caller = await newCaller(stage.info);
    killNext = "Chat";
    const { status } = await caller.send("POST", "/chat", { messages: userMessage(unique()) });
    expect(status).toBe(500);
    const [running] = await caller.results();
    expect(running?.status).toBe("running");
    // The lease has 30 s.
    const [result] = await eventually(async () => {
      const results = await caller.results();
      return results[0]?.status === "failed" ? results : null;
    }, 60_000);
    expect(result).toMatchObject({ error: { code: "internal" }, usage: null });
    expect(await caller.usage()).toMatchObject({ requests: 1, failed: 1, unaccounted_attempts: 1 });
  }, 90_000);
});

describe("when DynamoDB takes no settlement", () => {
  const messages = () => userMessage(unique());
  const photo = async () => ({ data: (await picture("png", 30, 31)).toString("base64") });

  test.each<[string, (caller: TestCaller) => Promise<{ status: number }>]>([
    ["Chat", (caller) => caller.send("POST", "/chat", { messages: messages() })],
    ["Vision", async (caller) => caller.send("POST", "/vision", { images: [await photo()], prompt: unique() })],
    ["OpenAI", (caller) => caller.send("POST", "/v1/chat/completions", { model: "gpt-4o-mini", messages: messages() })],
    [
      "RequestDeferred",
      (caller) => caller.send("POST", "/chat", { messages: messages() }, { prefer: "respond-async" }),
    ],
    [
      "ImageUploaded",
      async (caller) => {
        await caller.putImage("cat.png", await picture("png", 30, 31));
        return { status: 200 };
      },
    ],
  ])("%s hands it over: the answer is given at once, and settled once", async (name, ask) => {
    const caller = await newCaller(stage.info);
    const before = await billed(stage.info);
    // What was deferred is taken up in a transaction, before OpenAI is asked.
    cutOff.set(name, name === "RequestDeferred" ? 1 : 0);
    const { status } = await ask(caller);
    expect(status).toBe(name === "RequestDeferred" ? 202 : 200);
    const [result] = await caller.finishedResults(1);
    cutOff.delete(name);
    expect(result?.status).toBe("succeeded");
    const news = [...(await billed(stage.info)).keys()].filter((id) => !before.has(id));
    expect(news).toEqual([result?.openai?.id]);
    expect(await caller.usage()).toMatchObject({ requests: 1, unaccounted_attempts: 0 });
  });
});

describe("npm run redrive", () => {
  const redrive = (...args: string[]) => runCommand(stage.info, "redrive", ...args);

  test("says so when there is nothing to send back", async () => {
    const { status, stdout } = await redrive();
    expect(status).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "ImageUploadedQueue: its dead-letter queue is empty.",
      "RequestDeferredQueue: its dead-letter queue is empty.",
      "SettleLaterQueue: its dead-letter queue is empty.",
    ]);
  });

  test("works on a deployed stage inside sst shell", async () => {
    const { status, stdout } = await runInSstShell(stage.info, "redrive", "--queue", "SettleLaterQueue");
    expect([status, stdout]).toEqual([0, "SettleLaterQueue: its dead-letter queue is empty."]);
  });

  test("brings dead images and requests back, and nothing is paid for twice", async () => {
    const caller = await newCaller(stage.info);
    const before = await billed(stage.info);
    // Fails as often as the message is received, twice; copies of a message fail with it.
    const fault = "[[fault:500 times=2]]";
    const { body } = await caller.send<Result>(
      "POST",
      "/chat",
      { messages: userMessage(`${fault} ${unique()}`) },
      { prefer: "respond-async" },
    );
    await caller.putImage("cat.png", await picture("png", 40, 41), {
      Metadata: { prompt: `${fault} ${unique()}` },
    });
    const dead = await eventually(async () => {
      const { stdout } = await redrive("--dry-run");
      return stdout.includes("ImageUploadedQueue: 1 message would") &&
        stdout.includes("RequestDeferredQueue: 1 message would")
        ? stdout
        : null;
    });
    expect(dead).toContain("SettleLaterQueue: its dead-letter queue is empty.");
    expect((await caller.results()).map(({ status }) => status)).toEqual(["failed", "failed"]);

    const { stdout } = await redrive();
    expect(stdout).toContain("ImageUploadedQueue: 1 message sent back.");
    expect(stdout).toContain("RequestDeferredQueue: 1 message sent back.");
    const results = await eventually(async () => {
      const now = await caller.results("&status=succeeded");
      return now.length === 2 ? now : null;
    });
    expect(results.map(({ id }) => id)).toContain(body.id);

    // The same messages once more: what is paid for is replayed.
    const { sqs } = awsClients(stage.info);
    const { QueueUrl } = await sqs.send(
      new GetQueueUrlCommand({ QueueName: readManifest(root).queues.RequestDeferredQueue?.name }),
    );
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ result_id: body.id }) }));
    await eventually(async () => ((await redrive("--dry-run")).stdout.includes("would") ? null : true));
    const news = [...(await billed(stage.info)).keys()].filter((id) => !before.has(id));
    expect(news.sort()).toEqual(results.map(({ openai }) => openai?.id).sort());
  }, 90_000);

  test.each([
    [
      ["--queue", "Chat"],
      'There is no queue "Chat". There are ImageUploadedQueue, RequestDeferredQueue, SettleLaterQueue.',
    ],
    [["all"], 'What is "all"?'],
  ])("with %j tells what would be right", async (args, told) => {
    const { status, stderr } = await redrive(...args);
    expect(status).toBe(1);
    expect(stderr).toContain(told);
  });
});
