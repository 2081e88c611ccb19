// npm run bench:bulk: images a second through S3, SQS, the function and DynamoDB, beside what the configured concurrency allows.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { readManifest } from "@tollgate/local/manifest";
import { table } from "@tollgate/local/table";
import { drain, fill, type Workers } from "./bulk/pipeline.ts";
import { warmUpMs } from "./bulk/throughput.ts";

const usage = `npm run bench:bulk [-- --workers 2x1,2x5,10x5] [--images 1500] [--seconds 10] [--latency-ms 200]

Drops small photographs into the bucket of a stage of its own until they all wait in the queue, then lets the function at a copy of
that queue, once for each number of workers.

  --workers      environments at once x images in a batch; one alone is measured first, and infra's own numbers last
  --images       how many are dropped
  --seconds      how long to measure, from ${warmUpMs / 1000} s after all environments have come to work
  --latency-ms   how long OpenAI takes to answer

What is counted: images from the beginning of their analysis until they are settled, each by as much of this time as lies within the
time measured. That begins ${warmUpMs / 1000} s after the moment at which all environments were at work, and ends when the last batch is taken
from the queue or --seconds are over. "allowed" is what the workers could do if an image took nothing but OpenAI's time;
"as one alone" if each took as long as one that is alone in the pipeline.

Everything runs on this machine, and DynamoDB Local waits for its disk at every write: TMPDIR=/dev/shm takes that out of the way (Linux).`;

const root = resolve(import.meta.dirname, "..");
const one: Workers = { environments: 1, batchSize: 1 };

const options = {
  workers: { type: "string", default: "2x1,2x5,4x5" },
  images: { type: "string", default: "1500" },
  seconds: { type: "string", default: "10" },
  "latency-ms": { type: "string", default: "200" },
  help: { type: "boolean", short: "h" },
} as const;

type Drained = NonNullable<Awaited<ReturnType<typeof drain>>>;

function rowOf({ environments, batchSize }: Workers, latencyMs: number, loneMs: number, drained: Drained) {
  const { seconds, images, imagesPerSecond, imageMs, invocationsAtWork, imagesAtWork, busy } = drained;
  const atOnce = environments * batchSize;
  const allowed = (imageMs: number) => (atOnce * 1000) / imageMs;
  const percent = (share: number) => (100 * share).toFixed(0);
  return {
    workers: `${environments} x ${batchSize}`,
    "s measured": seconds.toFixed(1),
    images: images.toFixed(0),
    "images/s": imagesPerSecond.toFixed(1),
    allowed: allowed(latencyMs).toFixed(1),
    "%": percent(imagesPerSecond / allowed(latencyMs)),
    "as one alone": allowed(loneMs).toFixed(1),
    "% of that": percent(imagesPerSecond / allowed(loneMs)),
    "ms before OpenAI": imageMs.before,
    OpenAI: imageMs.openai,
    after: imageMs.after,
    image: imageMs.whole,
    "environments at work": invocationsAtWork.toFixed(2),
    "images at work": imagesAtWork.toFixed(1),
    "CPU %": busy.processors.toFixed(0),
    "stage's thread %": busy.thread.toFixed(0),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(usage);
  const [images = 0, seconds = 0, latencyMs = 0] = [values.images, values.seconds, values["latency-ms"]].map(Number);
  const chosen = values.workers.split(",").filter(Boolean).map(workersAt);
  if (![images, seconds, latencyMs].every((number) => Number.isInteger(number) && number > 0)) {
    throw new Error(`--images, --seconds and --latency-ms are whole numbers from 1.\n\n${usage}`);
  }
  const stopping = new AbortController();
  process.once("SIGINT", () => {
    console.error("\nstopping …");
    stopping.abort(new Error("Stopped."));
  });
  const pipeline = { root, latencyMs, seconds, signal: stopping.signal };
  process.stderr.write(`… dropping ${images} images\n`);
  const filled = await fill(pipeline, images);
  const [dropped, queued] = [filled.droppedMs, filled.queuedMs].map((ms) => (ms / 1000).toFixed(1));
  process.stderr.write(`… dropped in ${dropped} s, in the queue after ${queued} s\n`);
  try {
    const rows: ReturnType<typeof rowOf>[] = [];
    let loneMs: number | null = null;
    for (const workers of [one, ...chosen, ownWorkers()]) {
      process.stderr.write(`… ${workers.environments} x ${workers.batchSize}\n`);
      const drained = await drain(filled, workers, pipeline);
      if (!drained) throw new Error("The queue was empty before all environments had warmed up: give more --images.");
      for (const problem of drained.problems) console.error(problem);
      loneMs ??= drained.imageMs.whole;
      rows.push(rowOf(workers, latencyMs, loneMs, drained));
    }
    console.log(`OpenAI answers in ${latencyMs} ms.\n${table(rows)}`);
  } finally {
    filled.remove();
  }
}

/** What infra/ configures. */
function ownWorkers(): Workers {
  const mapping = readManifest(root).eventSourceMappings.find((one) => one.function === "ImageUploaded");
  return { environments: mapping?.maximumConcurrency ?? 0, batchSize: mapping?.batchSize ?? 0 };
}

function workersAt(text: string): Workers {
  const [, environments, batchSize] = /^([1-9]\d*)x([1-9]\d*)$/.exec(text) ?? [];
  if (!environments || !batchSize) throw new Error(`What are the workers "${text}"?\n\n${usage}`);
  return { environments: Number(environments), batchSize: Number(batchSize) };
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
