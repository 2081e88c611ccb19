import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { StageInfo } from "@tollgate/local/stage";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  awsClients,
  billed,
  eventually,
  newCaller,
  picture,
  type Result,
  type Usage,
  unique,
  userMessage,
} from "./client.ts";

const root = resolve(import.meta.dirname, "../..");
const cli = join(root, "packages/local/src/cli.ts");
let dir: string;
let stage: ChildProcess | null = null;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tollgate-restart-"));
});
afterEach(async () => {
  await end("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

/** `npm start` in a process of its own. */
async function start(): Promise<StageInfo> {
  const child = spawn(process.execPath, [cli, "--dir", dir], {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  stage = child;
  let complaint = "";
  child.stderr.on("data", (chunk) => {
    complaint += chunk;
  });
  for await (const line of createInterface(child.stdout)) {
    expect(line).toMatch(/^ready http:\/\/127\.0\.0\.1:\d+$/);
    return JSON.parse(readFileSync(join(dir, "stage.json"), "utf8"));
  }
  throw new Error(`The stage did not start: ${complaint}`);
}

async function end(signal: NodeJS.Signals): Promise<number | null> {
  if (!stage || stage.exitCode !== null || stage.signalCode !== null) return null;
  const ended = once(stage, "exit");
  stage.kill(signal);
  const [code] = await ended;
  stage = null;
  return code;
}

/** Processes whose command line or environment names the stage's folder: its functions, its JVM, itself. */
function processesOfStage(): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(dir);
    } catch {
      return false;
    }
  });
}

describe("a stage that is killed and started again", () => {
  test("has lost no result, key, object, message or ledger row", async () => {
    const first = await start();
    const caller = await newCaller(first);
    const chat = (await caller.send<Result>("POST", "/chat", { messages: userMessage(unique()) })).body;
    await caller.putImage("before.png", await picture("png"));
    await caller.finishedResults(2);
    const before = { results: await caller.results(), usage: await caller.usage() };
    await end("SIGKILL");

    const second = await start();
    expect([second.api_key, second.access_key_id, second.bucket]).toEqual([
      first.api_key,
      first.access_key_id,
      first.bucket,
    ]);
    const again = await newCallerWithKey(second, caller.apiKey);
    expect(await again<Result>(`/results/${chat.id}`)).toEqual(chat);
    expect((await again<{ data: Result[] }>("/results?limit=100")).data).toEqual(before.results);
    expect((await again<{ total: object }>("/usage")).total).toEqual(before.usage);
    const { s3 } = awsClients(second);
    const { GetObjectCommand } = await import("@aws-sdk/client-s3");
    const object = await s3.send(
      new GetObjectCommand({ Bucket: second.bucket, Key: `uploads/${caller.owner}/before.png` }),
    );
    expect(object.ContentLength).toBe((await picture("png")).length);
  });

  test("analyses the images that were put just before, each once", async () => {
    const first = await start();
    const caller = await newCaller(first);
    const names = ["a.png", "b.png", "c.png", "d.png"];
    await Promise.all(names.map(async (name) => caller.putImage(name, await picture("png"))));
    await end("SIGKILL");

    const second = await start();
    const read = await newCallerWithKey(second, caller.apiKey);
    const results = await eventually(async () => {
      const { data } = await read<{ data: Result[] }>("/results?limit=100");
      return data.length === names.length && data.every(({ status }) => status === "succeeded") ? data : null;
    });
    expect(results.map(({ image }) => image?.key?.split("/").at(-1)).sort()).toEqual(names);
    const known = await billed(second);
    expect(results.every(({ openai }) => known.has(openai?.id ?? ""))).toBe(true);
  });

  test("finishes what it had accepted, begun or not, each once", async () => {
    const first = await start();
    const caller = await newCaller(first);
    const accept = (fault: string) =>
      caller.send<Result>(
        "POST",
        "/chat",
        { messages: userMessage(`${fault} ${unique()}`) },
        { prefer: "respond-async" },
      );
    const begun = await accept("[[fault:slow ms=5000]]");
    await eventually(async () => ((await askedOfOpenAI(first)) === 1 ? true : null));
    const accepted = await Promise.all([accept(""), accept(""), accept("")]);
    await end("SIGKILL");
    expect([begun, ...accepted].map(({ status }) => status)).toEqual([202, 202, 202, 202]);

    const second = await start();
    const read = await newCallerWithKey(second, caller.apiKey);
    const results = await eventually(async () => {
      const { data } = await read<{ data: Result[] }>("/results?limit=100");
      return data.every(({ status }) => status === "succeeded") ? data : null;
    }, 90_000);
    expect(results.map(({ id }) => id).sort()).toEqual([begun, ...accepted].map(({ body }) => body.id).sort());
    const { total } = await read<{ total: Usage["total"] }>("/usage");
    expect(total.requests).toBe(4);
    // Nobody can tell whether a call that was cut off was billed.
    expect(total.unaccounted_attempts).toBeGreaterThanOrEqual(1);
  }, 150_000);

  test("leaves no process behind, however it ends", async () => {
    for (const signal of ["SIGKILL", "SIGINT"] as const) {
      const info = await start();
      const caller = await newCaller(info);
      await caller.send("POST", "/chat", { messages: userMessage(unique()) });
      expect(processesOfStage().length).toBeGreaterThan(1);
      const code = await end(signal);
      expect(code).toBe(signal === "SIGINT" ? 0 : null);
      await eventually(async () => (processesOfStage().length === 0 ? true : null));
    }
  });
});

test("a second stage in the same folder is told who has it", async () => {
  await start();
  const child = spawn(process.execPath, [cli, "--dir", dir], { env: { ...process.env, PORT: "0" } });
  let complaint = "";
  child.stderr.on("data", (chunk) => {
    complaint += chunk;
  });
  const [code] = await once(child, "exit");
  expect([code, complaint]).toEqual([1, expect.stringMatching(/is running from .* already \(process \d+\)/)]);
});

async function newCallerWithKey(info: StageInfo, apiKey: string) {
  return async <T>(path: string): Promise<T> => {
    const response = await fetch(`${info.api}${path}`, { headers: { authorization: `Bearer ${apiKey}` } });
    return (await response.json()) as T;
  };
}

async function askedOfOpenAI({ openai }: StageInfo): Promise<number> {
  const response = await fetch(`${new URL(openai).origin}/_control/requests`);
  return ((await response.json()) as { received: number }).received;
}
