import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type NextInvocation, startRuntimeApi } from "@tollgate/local/lambda/runtime-api";
import { memoryOf } from "../process.ts";
import { startFunctionProcess } from "./function-process.ts";
import { eventAt, expectSuccess, type Measured, sinceOpenAI, type Task } from "./measured.ts";

interface Answer {
  text: string;
  atMs: number;
  firstByteMs: number | null;
}

/**
 * Measures one function once, in a fresh process under a runtime client, from outside: what it takes to start Node.js and to
 * speak the Runtime API is in every figure. An event lasts from its hand-over until the last byte of its answer.
 *
 * @param runtimeClient the script that runs in the process, such as the `index.mjs` of `aws-lambda-ric`
 */
export async function measureUnderRuntime(
  runtimeClient: string,
  task: Task,
  environment: Record<string, string>,
  signal: AbortSignal,
): Promise<Measured> {
  let ready = Promise.withResolvers<(invocation: NextInvocation) => void>();
  let answered = Promise.withResolvers<Answer>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const fail = (why: string) => failed.reject(new Error(why));
  const api = await startRuntimeApi({
    next: () => new Promise((hand) => ready.resolve(hand)),
    async respond(_requestId, response) {
      let text = "";
      let firstByteMs: number | null = null;
      for await (const piece of response.setEncoding("utf8")) {
        firstByteMs ??= sinceOpenAI(piece);
        text += piece;
      }
      answered.resolve({ text, atMs: performance.now(), firstByteMs });
      return "accepted";
    },
    fail(_requestId, _errorType, body) {
      fail(`The function failed: ${body}`);
      return "accepted";
    },
    failInit: (_errorType, body) => fail(`The function failed to start: ${body}`),
  });
  const startedMs = performance.now();
  const { child, ended } = startFunctionProcess(runtimeClient, {
    environment: {
      ...environment,
      _HANDLER: `bundle.${task.exportName}`,
      AWS_LAMBDA_RUNTIME_API: api.address,
      LAMBDA_RUNTIME_DIR: dirname(runtimeClient),
      LAMBDA_TASK_ROOT: dirname(task.module),
    },
    ipc: false,
    signal,
  });
  ended.then((why) => fail(`The process ${why}`));

  const asksForEvent = () => Promise.race([ready.promise, failed.promise]);
  const invoke = async (n: number) => {
    const payload = eventAt(task, n);
    const hand = await asksForEvent();
    ready = Promise.withResolvers();
    answered = Promise.withResolvers();
    const handedMs = performance.now();
    hand({
      requestId: `00000000-0000-0000-0000-${String(n).padStart(12, "0")}`,
      payload,
      deadlineMs: Date.now() + 900_000,
      functionArn: "arn:aws:lambda:us-east-1:000000000000:function:bench",
      traceId: "Root=1-69253a80-000000000000000000000000;Parent=0000000000000000;Sampled=0",
    });
    const { text, atMs, firstByteMs } = await Promise.race([answered.promise, failed.promise]);
    // A streamed answer begins with its metadata, and 8 bytes of 0.
    expectSuccess(JSON.parse(text.split("\0", 1)[0] ?? ""), text);
    return { ms: atMs - handedMs, firstByteMs };
  };

  try {
    await asksForEvent();
    const initMs = performance.now() - startedMs;
    const first = await invoke(0);
    await asksForEvent();
    const coldCpuMs = cpuMs(child.pid);
    const warm = [];
    for (let n = 1; n <= task.events; n++) warm.push(await invoke(n));
    await asksForEvent();
    return {
      initMs,
      firstMs: first.ms,
      coldCpuMs,
      warmMs: warm.map(({ ms }) => ms),
      warmCpuMs: cpuMs(child.pid) - coldCpuMs,
      peakBytes: memoryOf(child.pid).peak,
      firstByteMs: warm.flatMap(({ firstByteMs }) => firstByteMs ?? []),
    };
  } finally {
    child.kill("SIGKILL");
    await ended;
    api.close();
  }
}

/** Of all threads, in nanoseconds at the source: /proc/<pid>/stat counts in hundredths of a second. Linux alone has it. */
const cpuMs = (pid: number | undefined): number =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1))
    .reduce((sum, [nanoseconds]) => sum + Number(nanoseconds) / 1e6, 0);
