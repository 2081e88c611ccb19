import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type Manifest, queueNamed, readManifest } from "@tollgate/local/manifest";
import { clientOptions, type StageInfo, startStage } from "@tollgate/local/stage";
import sharp from "sharp";
import { watchMachine } from "./machine.ts";
import { startSlowOpenAI } from "./openai.ts";
import { type Analysed, busySpan, throughput } from "./throughput.ts";

const queue = "ImageUploadedQueue";
const photos = ["rocket.jpg", "coffee.webp", "cat.png"];
/** Small ones: what is measured is the pipeline, and the machine that stands in for AWS takes its time for every byte. */
const photoWidth = 320;
/** For a queue to be emptied in which every image succeeds. */
const patienceMs = 600_000;

/** Environments that work at once, and images in a batch. */
export interface Workers {
  environments: number;
  batchSize: number;
}

export interface PipelineOptions {
  root: string;
  latencyMs: number;
  /** How long to measure at most, once all environments have warmed up. */
  seconds: number;
  signal?: AbortSignal | undefined;
}

export interface Filled {
  dir: string;
  images: number;
  /** Until the last image was in the bucket, and until the last message was in the queue. */
  droppedMs: number;
  queuedMs: number;
  remove(): void;
}

/** A stage's folder whose queue is full: these images have been dropped, and no function is there yet to take them. */
export async function fill({ root, signal }: PipelineOptions, images: number): Promise<Filled> {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-bulk-"));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  try {
    const manifest = { ...readManifest(root), eventSourceMappings: [] };
    const stage = await startStage({ root, dir, port: 0, manifest });
    try {
      const startedMs = performance.now();
      await drop(stage.info, root, images);
      const droppedMs = performance.now() - startedMs;
      await untilQueued(stage.info, manifest, images, signal);
      return { dir, images, droppedMs, queuedMs: performance.now() - startedMs, remove };
    } finally {
      await stage.stop();
    }
  } catch (error) {
    remove();
    throw error;
  }
}

async function drop(info: StageInfo, root: string, images: number): Promise<void> {
  const s3 = new S3Client({ ...clientOptions(info), endpoint: info.s3, forcePathStyle: true });
  const bodies = await Promise.all(
    photos.map((name) =>
      sharp(readFileSync(join(root, "examples/photos", name)))
        .resize({ width: photoWidth })
        .jpeg()
        .toBuffer(),
    ),
  );
  let next = 0;
  const put = async () => {
    for (let n = next++; n < images; n = next++) {
      const Body = bodies[n % bodies.length];
      await s3.send(new PutObjectCommand({ Bucket: info.bucket, Key: `uploads/local/${n}.jpg`, Body }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, put));
  s3.destroy();
}

async function untilQueued(info: StageInfo, manifest: Manifest, images: number, signal?: AbortSignal): Promise<void> {
  const sqs = new SQSClient({ ...clientOptions(info), endpoint: info.sqs });
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queueNamed(manifest, queue).name }));
  const waiting = async () => {
    const AttributeNames = ["ApproximateNumberOfMessages" as const];
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    return Number(Attributes?.ApproximateNumberOfMessages);
  };
  while ((await waiting()) < images) await setTimeout(100, null, { signal });
  sqs.destroy();
}

/** Lets so many environments loose on a copy of a full queue. null when there was not enough to do for all of them. */
export async function drain(filled: Filled, workers: Workers, options: PipelineOptions) {
  const { root, latencyMs, seconds, signal } = options;
  const dir = mkdtempSync(join(tmpdir(), "tollgate-bulk-"));
  const images: Analysed[] = [];
  const problems: string[] = [];
  const analysed = readLog();
  const machine = watchMachine();
  const openai = await startSlowOpenAI(latencyMs);
  try {
    cpSync(filled.dir, dir, { recursive: true });
    const stage = await startStage({
      root,
      dir,
      port: 0,
      manifest: withWorkers(readManifest(root), workers),
      openai: { baseUrl: `${openai.endpoint}/v1`, apiKey: "sk-local" },
      log: (source, line) => {
        const read = analysed(line);
        if (read === "other") problems.push(`${source}: ${line}`);
        else if (read) images.push(read);
      },
    });
    try {
      for (const untilMs = Date.now() + patienceMs; images.length < filled.images && Date.now() < untilMs; ) {
        await setTimeout(500, null, { signal });
        const span = busySpan(images);
        if (span && span.endMs - span.startMs >= seconds * 1000) break;
      }
    } finally {
      await stage.stop();
    }
  } finally {
    machine.stop();
    await openai.stop();
    rmSync(dir, { recursive: true, force: true });
  }
  const span = busySpan(images);
  if (!span) return null;
  const endMs = Math.min(span.endMs, span.startMs + seconds * 1000);
  return {
    ...throughput(images, { ...span, endMs }),
    busy: machine.busy(span.startMs, endMs),
    problems,
  };
}

const withWorkers = (manifest: Manifest, { environments, batchSize }: Workers): Manifest => ({
  ...manifest,
  eventSourceMappings: manifest.eventSourceMappings.map((mapping) =>
    mapping.queue === queue ? { ...mapping, batchSize, maximumConcurrency: environments } : mapping,
  ),
});

/** Reads the function's log line by line. An image is known with its last; null before; "other" is what no image should log. */
function readLog() {
  const calls = new Map<string, { answeredMs: number; openaiMs: number }>();
  return (text: string): Analysed | "other" | null => {
    const line = text.startsWith("{") ? JSON.parse(text) : {};
    const { timestamp, level, event, message_id, aws_request_id, latency_ms, UpstreamLatencyMs } = line;
    if (level !== "info") return "other";
    const endMs = Date.parse(timestamp);
    if (event === "openai_called") calls.set(message_id, { answeredMs: endMs, openaiMs: UpstreamLatencyMs });
    const call = calls.get(message_id);
    if (event !== "image_analysed" || !call) return null;
    return { invocation: aws_request_id, startMs: endMs - latency_ms, ...call, endMs };
  };
}
