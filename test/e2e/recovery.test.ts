import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetQueueUrlCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { readBudget } from "@tollgate/core/budget/budget";
import { monthOf } from "@tollgate/core/budget/month";
import { claim } from "@tollgate/core/result/claim";
import { settle } from "@tollgate/core/result/settle";
import { readItem } from "@tollgate/core/result/store";
import { createS3TextStore } from "@tollgate/core/s3/s3-text-store";
import type { Fault } from "@tollgate/local/aws/fault";
import { type Manifest, readManifest } from "@tollgate/local/manifest";
import { type Stage, startStage } from "@tollgate/local/stage";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { committedManifest } from "../infra/stage.ts";
import { runtimeClient } from "../runtime-client.ts";
import {
  type Answer,
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
import { hasMetrics, ledgerAsMetrics, linesOf, rounded, sumsOf } from "./emf.ts";
import { recordUse } from "./permissions.ts";

const root = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "tollgate-recovery-"));

/** The stage of `infra/`, but that a message is dead after its second receive and that the sweep comes by each second. */
async function impatient(): Promise<Manifest> {
  const manifest = await committedManifest();
  for (const queue of Object.values(manifest.queues)) if (queue.deadLetter) queue.deadLetter.maxReceiveCount = 2;
  for (const { environment } of Object.values(manifest.functions)) {
    if (environment.MAX_RECEIVE_COUNT) environment.MAX_RECEIVE_COUNT = "2";
    if (environment.SWEEP_HTTP_GRACE_MS) environment.SWEEP_HTTP_GRACE_MS = "1";
    if (environment.OPENAI_ATTEMPT_TIMEOUT_MS) environment.OPENAI_ATTEMPT_TIMEOUT_MS = "60000";
  }
  for (const schedule of Object.values(manifest.schedules)) schedule.everySeconds = 1;
  return manifest;
}

/** How the transactions of functions go wrong, which are counted from 1 for each function and test. */
let strike: (name: string, nth: number) => Fault | null | Promise<null> = () => null;
const transactions = new Map<string, number>();
const lines: string[] = [];
let stage: Stage;
const linesAbout = ({ owner }: TestCaller) => linesOf(lines.join("\n")).filter((line) => line.owner === owner);
const metricsOf = (caller: TestCaller) => rounded(sumsOf(linesAbout(caller).filter(hasMetrics)));

beforeAll(async () => {
  stage = await startStage({
    root,
    dir,
    port: 0,
    runtimeClient,
    manifest: await impatient(),
    faults: ({ principal, operation }) => {
      if (operation !== "TransactWriteItems") return null;
      const nth = (transactions.get(principal) ?? 0) + 1;
      transactions.set(principal, nth);
      return strike(principal, nth);
    },
    onDecision: recordUse(inject("usedPermissions")),
    log: (source, line) => {
      lines.push(`${source} ${line}`);
      appendFileSync(inject("log"), `${source} ${line}\n`);
    },
  });
});
afterEach(() => {
  strike = () => null;
  transactions.clear();
});
afterAll(async () => {
  await stage.stop();
  rmSync(dir, { recursive: true, force: true });
});

const logged = (...parts: string[]) =>
  eventually(async () => lines.find((line) => parts.every((part) => line.includes(part))) ?? null);

describe("a result whose function died, and that nobody asks for again", () => {
  test.each([
    ["", {}, 1],
    // What it may cost is reserved in a transaction before.
    [", and its reservation charged, when its key has a budget", { budgetNanoUsd: 1_000_000_000 }, 2],
  ])(
    "is ended by the sweep, and its attempt is counted%s",
    async (_, limits, settling) => {
      const caller = await newCaller(stage.info, limits);
      strike = (name, nth) => (name === "Chat" && nth === settling ? { kind: "killed_before" } : null);
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
      const usage = await caller.usage();
      expect(usage).toMatchObject({ requests: 1, failed: 1, unaccounted_attempts: 1 });
      await expect.poll(() => metricsOf(caller)).toMatchObject(ledgerAsMetrics(usage));
      const { dynamodb } = awsClients(stage.info);
      const budget = await readBudget({ dynamodb, tableName: stage.info.table }, caller.keyId, monthOf(new Date()));
      expect(budget.spent_nano_usd > 0).toBe("budgetNanoUsd" in limits);
      expect(budget.committed_nano_usd).toBe(budget.spent_nano_usd);
    },
    90_000,
  );
});

/** A function that asks OpenAI, which of its transactions is the first to settle, and how to have it ask. */
type Asking = [string, number, (caller: TestCaller) => Promise<Answer<unknown>>];

const chat = () => ({ model: "gpt-4o-mini", messages: userMessage(unique()) });
const overHttp: Asking[] = [
  ["Chat", 1, (caller) => caller.send("POST", "/chat", chat())],
  [
    "Vision",
    1,
    async (caller) => {
      const photo = await picture("png", 30, 31);
      return caller.send("POST", "/vision", { images: [{ data: photo.toString("base64") }], prompt: unique() });
    },
  ],
  ["OpenAI", 1, (caller) => caller.send("POST", "/v1/chat/completions", chat())],
];
const fromQueue: Asking[] = [
  // What was deferred is taken up in a transaction, before OpenAI is asked.
  ["RequestDeferred", 2, (caller) => caller.send("POST", "/chat", chat(), { prefer: "respond-async" })],
  [
    "ImageUploaded",
    1,
    async (caller) => {
      await caller.putImage("cat.png", await picture("png", 30, 31));
      return { status: 200, headers: new Headers(), body: null };
    },
  ],
];

describe("when DynamoDB takes no settlement", () => {
  test.each([...overHttp, ...fromQueue])(
    "%s hands it over: the answer is given at once, and settled once",
    async (name, settlement, ask) => {
      const caller = await newCaller(stage.info);
      const before = await billed(stage.info);
      strike = (who, nth) => (who === name && nth >= settlement ? { kind: "unavailable" } : null);
      const { status } = await ask(caller);
      expect(status).toBe(name === "RequestDeferred" ? 202 : 200);
      const [result] = await caller.finishedResults(1);
      expect(result?.status).toBe("succeeded");
      const news = [...(await billed(stage.info)).keys()].filter((id) => !before.has(id));
      expect(news).toEqual([result?.openai?.id]);
      const usage = await caller.usage();
      expect(usage).toMatchObject({ requests: 1, unaccounted_attempts: 0 });
      const once = { ...ledgerAsMetrics(usage), SettlementsHandedOver: 1, SettlementsNotKept: 0 };
      await expect.poll(() => metricsOf(caller)).toMatchObject(once);
      const told = linesAbout(caller).find(({ event }) => event === "settlement_handed_over");
      expect(told).toMatchObject({ result_id: result?.id, aws_request_id: expect.any(String) });
    },
  );

  test("nor the one that was handed over, it waits in the queue and is settled when it comes back", async () => {
    const caller = await newCaller(stage.info);
    let isDown = true;
    strike = (who) => (isDown && (who === "Chat" || who === "SettleLater") ? { kind: "unavailable" } : null);
    const { status, body } = await caller.send<Result>("POST", "/chat", chat());
    expect([status, body.status]).toEqual([200, "succeeded"]);
    await logged("SettleLater ", "record_failed");
    isDown = false;
    expect(await caller.finished(body.id)).toEqual(body);
    expect(await caller.usage()).toMatchObject({ requests: 1, unaccounted_attempts: 0 });
  });
});

describe("an attempt that was taken for dead, and comes back", () => {
  const content = "and so on ".repeat(40_000);
  const answer = JSON.stringify({
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
  });

  /** Takes the caller's running result over, as if its lease had been over for long, and settles it with an answer too large for an item. */
  async function takeOver(caller: TestCaller): Promise<string> {
    const { dynamodb, s3 } = awsClients(stage.info);
    const { table: tableName, bucket } = stage.info;
    const store = { dynamodb, tableName, answers: createS3TextStore(s3, bucket) };
    const [running] = await caller.results();
    const item = await readItem(store, running?.id ?? "");
    if (!item) throw new Error("There is no attempt to take over from.");
    const { deferred: _, ...result } = item.result;
    const claimed = await claim(store, { result, requestHash: item.request_hash, nowMs: Date.now() + 3_600_000 });
    if (claimed.outcome !== "claimed") throw new Error(`The attempt cannot be taken over: ${claimed.outcome}.`);
    const done = { ...claimed.lease.result, status: "succeeded" as const, answer };
    expect(
      await settle(store, claimed.lease, { result: done, possiblyBilledAttempts: 0, completedAt: new Date() }),
    ).toBe(true);
    return result.id;
  }

  /** Asks, and takes over just as the function would settle. */
  async function outpaced([name, settlement, ask]: Asking) {
    const caller = await newCaller(stage.info);
    const settling = Promise.withResolvers<void>();
    const takenOver = Promise.withResolvers<void>();
    strike = async (who, nth) => {
      if (who !== name || nth < settlement) return null;
      settling.resolve();
      await takenOver.promise;
      return null;
    };
    const asked = ask(caller);
    await settling.promise;
    const id = await takeOver(caller);
    takenOver.resolve();
    return { caller, id, answered: await asked };
  }

  async function expectTakenOver(caller: TestCaller, id: string) {
    expect(await caller.finished(id)).toMatchObject({ status: "succeeded", content });
    expect(await caller.usage()).toMatchObject({ requests: 1, unaccounted_attempts: 1 });
  }

  test.each(overHttp)("gives the answer of the one that took over, and is counted: %s", async (...asking) => {
    const { caller, id, answered } = await outpaced(asking);
    expect(answered.status).toBe(200);
    expect(answered.headers.get("x-tollgate-result")).toBe(id);
    expect(JSON.stringify(answered.body)).toContain(content);
    await expectTakenOver(caller, id);
  });

  test.each(fromQueue)("is done with its message, and is counted: %s", async (...asking) => {
    const { caller, id } = await outpaced(asking);
    expect(await logged(id, '"receive_count":1')).toContain('"status":"succeeded"');
    await expectTakenOver(caller, id);
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
