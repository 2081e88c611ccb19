import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type Manifest, readManifest } from "@tollgate/local/manifest";
import { clientOptions, type Stage, startStage } from "@tollgate/local/stage";
import { memoryOf } from "../process.ts";
import { cpuMs, processOf } from "./process.ts";
import { startUpstream } from "./upstream.ts";

export interface Measured {
  /** Of the function's process, in bytes: after a batch of small images, and at its most while the large ones were worked on. */
  beforeBytes: number;
  peakBytes: number;
  /** What the requests to OpenAI had in bytes. */
  sentBytes: number;
  /** From the invocation's start to its end; processor time of the function's process alone. */
  invocationMs: number;
  cpuMs: number;
}

interface Measuring {
  root: string;
  image: Buffer;
  /** In one batch. */
  images: number;
  memoryMb: number;
  /** As with `SHRINK_IMAGES=true`. */
  shrink: boolean;
  /** A small image, of which a batch comes first: whatever a function loads at its first image is loaded then. */
  small: Buffer;
  signal: AbortSignal;
}

const functionName = "ImageUploaded";
const queueName = "ImageUploadedQueue";
/** For a batch, OpenAI's answer included. */
const patienceMs = 120_000;
/** A batch that is not full begins after this long: more than it takes to put its images. */
const batchWindowSeconds = 20;

/** Puts images into the bucket of a stage of its own, whose function gets them all in one batch. */
export async function measure({ root, images, memoryMb, signal, ...given }: Measuring): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-images-"));
  const upstream = await startUpstream();
  const reports: string[] = [];
  let stage: Stage | null = null;
  try {
    stage = await startStage({
      root,
      dir,
      port: 0,
      manifest: inOneBatch(readManifest(root), { images, memoryMb, shrink: given.shrink }),
      openai: { baseUrl: upstream.baseUrl, apiKey: "sk-bench" },
      meter: {
        answered() {},
        reported(name, line) {
          if (name === functionName) reports.push(line);
        },
      },
    });
    /** Waits until one more invocation than these has ended, and tells how many milliseconds it took. */
    const invoked = async (before: number, what: string) => {
      for (const untilMs = Date.now() + patienceMs; reports.length <= before; await setTimeout(50, null, { signal })) {
        if (Date.now() > untilMs) throw new Error(`There was no end of ${what} in ${patienceMs / 1000} s.`);
      }
      const report = reports.at(-1) ?? "";
      if (report.includes("Status: ")) throw new Error(`The function did not survive ${what}: ${report}`);
      return Number(/Duration: ([\d.]+) ms/.exec(report)?.[1]);
    };
    const batch = async (name: string, image: Buffer) => {
      upstream.expect(images);
      const before = reports.length;
      await putAll(stage as Stage, images, name, image);
      const invocationMs = await invoked(before, `the batch of ${name} images`);
      const { requests, bytes } = upstream.received();
      if (requests !== images) throw new Error(`OpenAI was asked ${requests} times about ${images} images.`);
      return { sentBytes: bytes, invocationMs };
    };
    await invoked(0, "the event with which S3 tests its notifications");
    await batch("small", given.small);
    const pid = processOf(dir, functionName);
    const before = { bytes: memoryOf(pid).resident, cpuMs: cpuMs(pid) };
    const done = await batch("large", given.image);
    return {
      ...done,
      beforeBytes: before.bytes,
      peakBytes: memoryOf(pid).peak,
      cpuMs: cpuMs(pid) - before.cpuMs,
    };
  } finally {
    await stage?.stop();
    await upstream.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** As it is deployed, but for one poller, whose batch waits until it is full. */
function inOneBatch(
  manifest: Manifest,
  { images, memoryMb, shrink }: Pick<Measuring, "images" | "memoryMb" | "shrink">,
): Manifest {
  const spec = manifest.functions[functionName];
  if (!spec) throw new Error(`infra/manifest.json has no ${functionName}.`);
  const shrinking = {
    environment: { ...spec.environment, SHRINK_IMAGES: "true" },
    build: { ...spec.build, install: ["sharp"] },
  };
  return {
    ...manifest,
    functions: { ...manifest.functions, [functionName]: { ...spec, memoryMb, ...(shrink && shrinking) } },
    eventSourceMappings: manifest.eventSourceMappings.map((mapping) =>
      mapping.queue === queueName
        ? { ...mapping, batchSize: images, batchWindowSeconds, maximumConcurrency: 1 }
        : mapping,
    ),
  };
}

async function putAll({ info }: Stage, images: number, name: string, Body: Buffer): Promise<void> {
  const s3 = new S3Client({ ...clientOptions(info), endpoint: info.s3, forcePathStyle: true });
  try {
    for (let n = 0; n < images; n++) {
      await s3.send(new PutObjectCommand({ Bucket: info.bucket, Key: `uploads/local/${name}-${n}.jpg`, Body }));
    }
  } finally {
    s3.destroy();
  }
}
