// Runs in a fresh process for each measurement: imports one bundle, gives it events one after another, and tells what that
// took. In the runtime's place, but without the Runtime API: its cost is the same for every function, and large beside theirs.
import { once } from "node:events";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { memoryOf } from "../process.ts";
import { eventAt, expectSuccess, type Measured, sinceOpenAI, type Task } from "./measured.ts";

type Handler = (event: unknown, ...rest: unknown[]) => Promise<unknown>;
interface Metadata {
  statusCode: number;
}

const streaming = Symbol("streaming");
const metadataOf = new WeakMap<Writable, Metadata>();

/** The global that Lambda's runtime gives to handlers. */
Object.assign(globalThis, {
  awslambda: {
    streamifyResponse: (handler: Handler) => Object.assign(handler, { [streaming]: true }),
    HttpResponseStream: {
      from(stream: Writable, metadata: Metadata) {
        metadataOf.set(stream, metadata);
        return stream;
      },
    },
  },
});

const context = { awsRequestId: "0", getRemainingTimeInMillis: () => 900_000 };
const firstByteMs: number[] = [];

async function invoke(handler: Handler, event: unknown): Promise<void> {
  if (streaming in handler) return invokeStreaming(handler, event);
  const response = await handler(event, context);
  expectSuccess(response as object, JSON.stringify(response));
}

async function invokeStreaming(handler: Handler, event: unknown): Promise<void> {
  const pieces: string[] = [];
  const stream = new Writable({
    write(piece, _encoding, done) {
      const ms = pieces.push(String(piece)) === 1 ? sinceOpenAI(String(piece)) : null;
      if (ms !== null) firstByteMs.push(ms);
      done();
    },
  });
  await handler(event, stream, context);
  expectSuccess(metadataOf.get(stream), pieces.join(""));
}

async function measure(task: Task): Promise<Measured> {
  const cpuMs = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const coldCpu = cpuMs();
  const started = performance.now();
  const handler: Handler = (await import(pathToFileURL(task.module).href))[task.exportName];
  const imported = performance.now();
  await invoke(handler, JSON.parse(eventAt(task, 0)));
  const first = performance.now();
  const warmCpu = cpuMs();
  firstByteMs.length = 0;
  const warmMs: number[] = [];
  for (let n = 1; n <= task.events; n++) {
    const begun = performance.now();
    await invoke(handler, JSON.parse(eventAt(task, n)));
    warmMs.push(performance.now() - begun);
  }
  return {
    initMs: imported - started,
    firstMs: first - imported,
    coldCpuMs: warmCpu - coldCpu,
    warmMs,
    warmCpuMs: cpuMs() - warmCpu,
    peakBytes: peakBytes(),
    firstByteMs,
  };
}

/** Linux' `maxRSS` begins with what the process that started this one had. */
const peakBytes = () =>
  process.platform === "linux" ? memoryOf(process.pid).peak : process.resourceUsage().maxRSS * 1024;

process.once("disconnect", () => process.exit());
const [task] = await once(process, "message");
const measured = await measure(task);
// What a function leaves open, such as connections, does not keep it.
process.send?.(measured, undefined, undefined, () => process.exit());
