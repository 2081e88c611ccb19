import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildRuntimeClient } from "@tollgate/local/lambda/runtime-client";
import { readManifest } from "@tollgate/local/manifest";
import { installRuntimeClient } from "../../test/ric/install.ts";
import { measureAlone } from "./alone.ts";
import { type BundledSubject, bundleProcesses, bundleSubjects, installAlternatives } from "./bundles.ts";
import type { Measured, Task } from "./measured.ts";
import type { Options, Runtime } from "./options.ts";
import { type Row, row } from "./row.ts";
import { measureUnderRuntime } from "./runtime.ts";
import { seed } from "./seed.ts";
import { startServices } from "./start-services.ts";
import { subjects } from "./subjects.ts";

const root = resolve(import.meta.dirname, "../..");
const progress = (step: string) => process.stderr.write(`… ${step}\n`);

type Measure = (task: Task, environment: Record<string, string>, signal: AbortSignal) => Promise<Measured>;

/** Measures every function once a round. Aborting `signal` ends it early, with nothing left behind. */
export async function bench(options: Options, signal: AbortSignal): Promise<Row[]> {
  progress("installing the alternatives");
  await installAlternatives(root, signal);
  const dir = mkdtempSync(join(tmpdir(), "tollgate-bench-"));
  try {
    return await benchIn(dir, options, signal);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function benchIn(dir: string, { rounds, events, only, runtime }: Options, signal: AbortSignal): Promise<Row[]> {
  const scripts = await bundleProcesses(root, dir);
  const measure = await measureUnder(runtime, scripts.probe, dir);
  const { services, cert, counts, stop } = await startServices(scripts.services);
  try {
    const [ledger] = Object.values(readManifest(root).tables);
    if (ledger) await seed(services.dynamodb, cert, ledger.name);
    progress(`bundling ${only.join(", ")}`);
    const asked = subjects(root, services).filter(({ name }) => only.includes(name));
    const functions = (await bundleSubjects(root, join(dir, "functions"), asked)).map((bundled) => ({
      ...bundled,
      runs: [] as Measured[],
      callsAnEvent: { openai: 0, dynamodb: 0 },
    }));
    const trusted = join(dir, "certificate.pem");
    writeFileSync(trusted, cert);
    const begunMs = Date.now();
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}${timeLeft(begunMs, round - 1, rounds)}`);
      for (const it of functions) {
        signal.throwIfAborted();
        const before = await counts();
        const environment = { ...it.environment, NODE_EXTRA_CA_CERTS: trusted };
        it.runs.push(await measure({ ...it.task, events }, environment, signal).catch(named(it)));
        const after = await counts();
        it.callsAnEvent = {
          openai: (after.openai - before.openai) / (events + 1),
          dynamodb: (after.dynamodb - before.dynamodb) / (events + 1),
        };
      }
    }
    return functions.map(row);
  } finally {
    await stop();
  }
}

async function measureUnder(runtime: Runtime | null, probe: string, dir: string): Promise<Measure> {
  if (runtime === null) return (...given) => measureAlone(probe, ...given);
  if (process.platform !== "linux")
    throw new Error("--runtime reads CPU and memory from /proc, which Linux alone has.");
  const client = runtime === "ric" ? await installRuntimeClient(progress) : await buildRuntimeClient(dir);
  return (...given) => measureUnderRuntime(client, ...given);
}

const named =
  ({ name }: BundledSubject) =>
  (error: Error) => {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  };

function timeLeft(begunMs: number, done: number, rounds: number): string {
  if (done === 0) return "";
  const minutes = ((Date.now() - begunMs) / done) * ((rounds - done) / 60_000);
  return minutes < 1 ? ", less than a minute left" : `, about ${Math.round(minutes)} min left`;
}
