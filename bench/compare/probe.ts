// Runs in a fresh process for each measurement: imports one bundle, gives it events one after another, and tells what that
// took. In the runtime's place, but without the Runtime API: its cost is the same for every function, and large beside theirs.
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";

/** What the probe is told, as JSON in its only argument. */
export interface Task {
  bundle: string;
  exportName: string;
  /** An event as JSON, in which `{n}` stands for its number. */
  event: string;
  /** How many events come after the first. */
  events: number;
}

/** Times in milliseconds, memory in bytes. */
export interface Measured {
  importMs: number;
  firstMs: number;
  /** Of the process, for import and first event. */
  coldCpuMs: number;
  /** Of each event after the first. */
  warmMs: number[];
  warmCpuMs: number;
  peakBytes: number;
  /** Between a stream's first chunk at OpenAI and the first byte of ours, for each event after the first. */
  firstByteMs: number[];
}

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
  const response = (await handler(event, context)) as { statusCode?: number; principalId?: string };
  const text = JSON.stringify(response);
  if (response.statusCode !== 200 && !response.principalId) throw new Error(`The function answered ${text}`);
}

async function invokeStreaming(handler: Handler, event: unknown): Promise<void> {
  const pieces: string[] = [];
  const stream = new Writable({
    write(piece, _encoding, done) {
      const sent = pieces.push(String(piece)) === 1 && /fp_(\d{5,})/.exec(String(piece))?.[1];
      if (sent) firstByteMs.push(Number(process.hrtime.bigint() - BigInt(sent)) / 1e6);
      done();
    },
  });
  await handler(event, stream, context);
  if (metadataOf.get(stream)?.statusCode !== 200) throw new Error(`The function answered ${pieces.join("")}`);
}

async function measure({ bundle, exportName, event, events }: Task): Promise<Measured> {
  const eventAt = (n: number): unknown => JSON.parse(event.replaceAll("{n}", String(n)));
  const cpuMs = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const coldCpu = cpuMs();
  const started = performance.now();
  const handler: Handler = (await import(pathToFileURL(bundle).href))[exportName];
  const imported = performance.now();
  await invoke(handler, eventAt(0));
  const first = performance.now();
  const warmCpu = cpuMs();
  firstByteMs.length = 0;
  const warmMs: number[] = [];
  for (let n = 1; n <= events; n++) {
    const begun = performance.now();
    await invoke(handler, eventAt(n));
    warmMs.push(performance.now() - begun);
  }
  return {
    importMs: imported - started,
    firstMs: first - imported,
    coldCpuMs: warmCpu - coldCpu,
    warmMs,
    warmCpuMs: cpuMs() - warmCpu,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    firstByteMs,
  };
}

const measured = await measure(JSON.parse(process.argv[2] ?? ""));
// What a function leaves open, such as connections, does not keep it.
process.send?.(measured, undefined, undefined, () => process.exit());
