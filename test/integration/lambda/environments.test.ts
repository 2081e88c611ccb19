import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it, vi } from "vitest";
import { startFunctions } from "./functions.ts";
import { startGate } from "./gate.ts";

/** Waits at the gate, then answers with its process id. */
const WAITS = `declare const process: any;
  export const handler = async ({ gate }: any) => { if (gate) await fetch(gate); return process.pid; };`;

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of cleanUp.splice(0).reverse()) await stop();
});

async function start(...args: Parameters<typeof startFunctions>) {
  const lambda = await startFunctions(...args);
  cleanUp.push(lambda.stop);
  return lambda;
}

async function gated() {
  const gate = await startGate();
  cleanUp.push(gate.close);
  return gate;
}

const pidOf = async (result: Promise<{ payload: string }>) => Number((await result).payload);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const gone = (pid: number) => vi.waitUntil(() => !isAlive(pid), { timeout: 20_000, interval: 10 });

it("runs concurrent invocations in environments of their own", async () => {
  const lambda = await start({ waits: { source: WAITS } });
  const gate = await gated();
  const running = [1, 2, 3].map(() => pidOf(lambda.invoke("waits", { gate: gate.url })));
  await gate.arrived(3);
  gate.open();
  expect(new Set(await Promise.all(running)).size).toBe(3);
});

it("throttles beyond its concurrency, and not after", async () => {
  const lambda = await start({ waits: { source: WAITS } }, { concurrency: 2 });
  const gate = await gated();
  const running = [1, 2].map(() => lambda.invoke("waits", { gate: gate.url }));
  await gate.arrived(2);
  await expect(lambda.invoke("waits", {})).rejects.toMatchObject({
    name: "TooManyRequestsException",
    statusCode: 429,
    message: "Rate Exceeded.",
  });
  gate.open();
  await Promise.all(running);
  expect((await lambda.invoke("waits", {})).ok).toBe(true);
});

it("ends environments that have been idle for long", async () => {
  const lambda = await start({ waits: { source: WAITS } }, { idleTimeoutMs: 50 });
  const first = await pidOf(lambda.invoke("waits", {}));
  await gone(first);
  expect(await pidOf(lambda.invoke("waits", {}))).not.toBe(first);
});

it("hands over the first bytes of a stream while the function still runs", async () => {
  const lambda = await start({
    streams: {
      source: `declare const awslambda: any;
        export const handler = awslambda.streamifyResponse(async ({ gate }: any, stream: any) => {
          stream = awslambda.HttpResponseStream.from(stream, { statusCode: 200 });
          stream.write("first ");
          await fetch(gate);
          stream.end("last");
        });`,
    },
  });
  const gate = await gated();
  const { body } = await lambda.invokeStreaming("streams", { gate: gate.url });
  const [first] = await once(body, "readable").then(() => [body.read()]);
  expect(String(first)).toBe("first ");
  gate.open();
  expect(await text(body)).toBe("last");
});

it("stops waiting for a function when its caller aborts, and lets it run on", async () => {
  const lambda = await start({ waits: { source: WAITS } });
  const gate = await gated();
  const caller = new AbortController();
  const invocation = lambda.invoke("waits", { gate: gate.url }, { signal: caller.signal });
  await gate.arrived(1);
  caller.abort(new Error("the caller left"));
  await expect(invocation).rejects.toThrow("the caller left");
  gate.open();
  await vi.waitUntil(() => lambda.lines.some(({ line }) => line.startsWith("REPORT")), { timeout: 20_000 });
  expect(lambda.lines.some(({ line }) => line.includes("Status: error"))).toBe(false);
});

it("lets running invocations end when it stops, and then leaves no process", async () => {
  const lambda = await start({ waits: { source: WAITS } });
  const idle = await pidOf(lambda.invoke("waits", {}));
  const gate = await gated();
  const running = pidOf(lambda.invoke("waits", { gate: gate.url }));
  await gate.arrived(1);
  const stopped = lambda.stop();
  await expect(lambda.invoke("waits", {})).rejects.toMatchObject({ name: "ServiceException" });
  gate.open();
  expect(await running).toBe(idle);
  await stopped;
  expect(isAlive(idle)).toBe(false);
});

it("kills what does not end in time when it stops", async () => {
  const lambda = await start({ waits: { source: WAITS } }, { drainTimeoutMs: 50 });
  const gate = await gated();
  const running = lambda.invoke("waits", { gate: gate.url });
  await gate.arrived(1);
  await lambda.stop();
  expect(JSON.parse((await running).payload).errorType).toBe("Runtime.ExitError");
});

it("leaves no process behind when the stage itself is killed, busy ones included", async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), "tollgate-killed-"));
  cleanUp.push(() => rm(dir, { recursive: true }));
  const stage = spawn(process.execPath, [fileURLToPath(new URL("./killed-stage.ts", import.meta.url))], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TMPDIR: dir },
  });
  cleanUp.push(async () => stage.kill("SIGKILL"));
  const pids = await pidsPrinted(stage, 2);
  expect(pids.map(isAlive)).toEqual([true, true]);
  stage.kill("SIGKILL");
  await Promise.all(pids.map(gone));
});

async function pidsPrinted(child: ChildProcess, count: number): Promise<number[]> {
  const pids: number[] = [];
  if (child.stdout === null) throw new Error("no output to read");
  for await (const line of createInterface({ input: child.stdout })) {
    pids.push(Number(line));
    if (pids.length === count) break;
  }
  return pids;
}

it("ends one environment, at work on the invocation that is named, and no other", async () => {
  const source = WAITS.replace("if (gate)", "console.log(process.env._X_AMZN_TRACE_ID); if (gate)");
  const lambda = await start({ waits: { source } });
  const gate = await gated();
  const running = [1, 2, 3].map(() => lambda.invoke("waits", { gate: gate.url }));
  await gate.arrived(3);
  const traceIds = lambda.lines.flatMap(({ line }) => /Root=1-[^"\s]+/.exec(line)?.[0] ?? []);
  const [crashed, late] = traceIds as [string, string];
  lambda.end("waits", crashed, "kill");
  lambda.end("waits", late, "time-out");
  gate.open();
  const results = await Promise.all(running);
  const errors = results.flatMap((result) => (result.ok ? [] : JSON.parse(result.payload).errorType));
  expect(traceIds).toHaveLength(3);
  expect(errors.sort()).toEqual(["Runtime.ExitError", "Sandbox.Timedout"]);
});
