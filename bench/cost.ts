// npm run cost: what a request takes of AWS and of OpenAI, measured on a stage of its own.
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Manifest, readManifest } from "@tollgate/local/manifest";
import { components, noUse, plus, type Use } from "./cost/recorder.ts";
import { report } from "./cost/report.ts";
import { chat, type RequestKind, requestKinds } from "./cost/requests.ts";
import { client, type MeteredStage, startMeteredStage } from "./cost/stage.ts";

const usage = `npm run cost [-- --requests 10] [--latency-ms 2000]

What a request takes of AWS and of OpenAI, by kind, at list prices, and what a stage costs that nobody asks.

  --requests     how many of each kind, one after the other; the median is shown
  --latency-ms   how long OpenAI takes to answer: a function is paid for while it waits`;

const options = {
  requests: { type: "string", default: "10" },
  "latency-ms": { type: "string", default: "2000" },
  help: { type: "boolean", short: "h" },
} as const;

const root = resolve(import.meta.dirname, "..");
/** For one request and all that it sets off. */
const patienceMs = 120_000;

export interface Costs {
  latencyMs: number;
  /** The stage's default one, which answers all of them. */
  model: string;
  kinds: {
    name: string;
    use: Use;
    /** What OpenAI billed for one, as the ledger has it. */
    openai: { promptTokens: number; completionTokens: number; usd: number };
  }[];
  /** An invocation of the authorizer (for each key, once a minute), one of the sweep, and what a cold start adds to one. */
  beside: { authorizer: Use; sweep: Use; "cold start": Use };
  manifest: Manifest;
}

interface CostOptions {
  requests: number;
  latencyMs: number;
  /** Ends it early, with nothing left behind. */
  signal?: AbortSignal;
}

export async function cost({ requests, latencyMs, signal }: CostOptions): Promise<Costs> {
  const stage = await startMeteredStage(root, latencyMs);
  const { recorder } = stage;
  try {
    const first = JSON.parse(await stage.ask("POST", "/chat", { body: chat }));
    await stage.makeCounters(first.model);
    const kinds: Costs["kinds"] = [];
    for (const kind of requestKinds(root, stage, first.model)) {
      process.stderr.write(`… ${kind.name}\n`);
      // The first may start an environment, and is not counted.
      await complete(stage, kind, 0, signal);
      const before = await stage.billed();
      const uses: Use[] = [];
      for (let n = 1; n <= requests; n++) uses.push(await complete(stage, kind, n, signal));
      const after = await stage.billed();
      const openai = {
        promptTokens: (after.promptTokens - before.promptTokens) / requests,
        completionTokens: (after.completionTokens - before.completionTokens) / requests,
        usd: (after.usd - before.usd) / requests,
      };
      kinds.push({ name: kind.name, use: median(uses), openai });
    }
    await until(() => recorder.invocations("Sweep").length > 0, signal);
    const one = (name: string) => perInvocation(stage, name);
    const beside = { authorizer: one("Authorizer"), sweep: one("Sweep"), "cold start": coldStart(stage, "Chat") };
    return { latencyMs, model: first.model, kinds, beside, manifest: readManifest(root) };
  } finally {
    await stage.stop();
  }
}

/** Sends a request and waits for the end of all that it sets off: what was used for it. */
async function complete(stage: MeteredStage, kind: RequestKind, n: number, signal?: AbortSignal): Promise<Use> {
  const { recorder } = stage;
  const [mark, sentBytes] = [recorder.mark(), await stage.sentToOpenAI()];
  const ended = kind.functions.map((name) => {
    const before = recorder.ended(name);
    return () => recorder.ended(name) > before;
  });
  await kind.send(n);
  await until(() => ended.every((hasEnded) => hasEnded()), signal);
  const used = recorder.usedSince(mark, [client, "admin", "s3.amazonaws.com", ...kind.functions]);
  return plus(used, { outBytes: (await stage.sentToOpenAI()) - sentBytes });
}

async function until(done: () => boolean, signal?: AbortSignal): Promise<void> {
  for (const startedMs = Date.now(); !done(); await setTimeout(20, null, { signal }))
    if (Date.now() - startedMs > patienceMs)
      throw new Error(`Nothing has come of a request in ${patienceMs / 1000} s.`);
}

/** Of each component by itself. */
function median(uses: readonly Use[]): Use {
  const middle = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
  return plus(noUse(), Object.fromEntries(components.map((name) => [name, middle(uses.map((use) => use[name]))])));
}

function perInvocation({ recorder }: MeteredStage, name: string): Use {
  const invocations = recorder.invocations(name).length;
  const all = recorder.usedSince(0, [name]);
  return plus(noUse(), Object.fromEntries(components.map((part) => [part, all[part] / invocations])));
}

/** What an invocation costs more when an environment has to be started for it. */
function coldStart({ recorder }: MeteredStage, name: string): Use {
  const cold = recorder.invocations(name).find(({ initSeconds }) => initSeconds !== null);
  return plus(noUse(), { gbSeconds: (cold?.initSeconds ?? 0) * (cold?.memoryGb ?? 0) });
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(usage);
  const [requests = 0, latencyMs = 0] = [values.requests, values["latency-ms"]].map(Number);
  if (!Number.isInteger(requests) || requests < 1 || !Number.isInteger(latencyMs) || latencyMs < 0) {
    throw new Error(`--requests is a whole number from 1, --latency-ms one from 0.\n\n${usage}`);
  }
  const stopping = new AbortController();
  process.once("SIGINT", () => {
    console.error("\nstopping …");
    stopping.abort(new Error("Stopped."));
  });
  console.log(report(await cost({ requests, latencyMs, signal: stopping.signal })));
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
