// npm run load: 1,000 images dropped at once beside 64 chats at a time for a minute, on a stage of its own. OpenAI answers in
// 200 ms, and each 20th request with a rate limit.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { audit, type BilledCall } from "@tollgate/core/audit/audit";
import { readRecords } from "@tollgate/core/audit/read";
import { readManifest } from "@tollgate/local/manifest";
import { startOpenAI } from "@tollgate/local/openai/server";
import { clientOptions, startStage } from "@tollgate/local/stage";
import { table } from "@tollgate/local/table";
import sharp from "sharp";
import { functionProcesses, memoryOf } from "./process.ts";
import { quantile } from "./quantile.ts";

const usage = `npm run load [-- --images 1000] [--chats 64] [--seconds 60]

Ends with status 1 when something is lost, has two results, or when OpenAI sees more than the configured concurrency.`;

const options = {
  images: { type: "string", default: "1000" },
  chats: { type: "string", default: "64" },
  seconds: { type: "string", default: "60" },
  help: { type: "boolean", short: "h" },
} as const;

const root = resolve(import.meta.dirname, "..");
const latencyMs = 200;
const rateLimitedOnceIn = 20;
/** What follows the load: rate-limited images come back after 5 s, 30 s and 3 minutes. */
const patienceMs = 600_000;

interface Shown {
  id: string;
  status: string;
  image: { key: string } | null;
}

interface LoadOptions {
  images: number;
  chats: number;
  seconds: number;
  /** Ends it early, with nothing left behind. */
  signal?: AbortSignal;
}

export async function load({ images, chats, seconds, signal }: LoadOptions) {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-load-"));
  const progress = (step: string) => process.stderr.write(`… ${step}\n`);
  const openai = await startOpenAI({ latencyMs });
  const control = (method: string, what: string, body?: unknown) =>
    fetch(`${openai.url}/_control/${what}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) }).then(
      (response) => response.json() as Promise<Record<string, unknown>>,
    );
  await control("POST", "faults", {
    match: { every: rateLimitedOnceIn },
    times: 0,
    fault: { kind: "status", status: 429, retry_after: 1 },
  });
  const stage = await startStage({
    root,
    dir,
    port: 0,
    openai: { baseUrl: `${openai.url}/v1`, apiKey: openai.apiKey },
  }).catch(async (error) => {
    await openai.close();
    throw error;
  });
  const { info } = stage;
  const where = clientOptions(info);
  const s3 = new S3Client({ ...where, endpoint: info.s3, forcePathStyle: true });
  const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient({ ...where, endpoint: info.dynamodb }));
  const send = async <T>(method: string, path: string, body?: unknown) => {
    const response = await fetch(`${info.api}${path}`, {
      method,
      headers: { authorization: `Bearer ${info.api_key}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  };

  const memory = sampleMemory(dir);
  let chatting = true;
  try {
    progress(`dropping ${images} images, and ${chats} chats at a time for ${seconds} s`);
    const startedMs = performance.now();
    const answers = { ok: [] as { id: string; ms: number }[], refused: new Map<number, number>() };
    const chat = async () => {
      while (chatting) {
        const askedMs = performance.now();
        const { status, body } = await send<Shown>("POST", "/chat", {
          messages: [{ role: "user", content: `chat ${answers.ok.length}` }],
        });
        if (status === 200) answers.ok.push({ id: body.id, ms: performance.now() - askedMs });
        else answers.refused.set(status, (answers.refused.get(status) ?? 0) + 1);
      }
    };
    const chatters = Array.from({ length: chats }, chat);
    const keys = await drop(s3, info.bucket, images);
    const droppedMs = performance.now() - startedMs;
    await setTimeout(Math.max(0, seconds * 1000 - (performance.now() - startedMs)), null, { signal });
    chatting = false;
    await Promise.all(chatters);
    const chatMs = performance.now() - startedMs;

    let byKey = new Map<string, Shown[]>();
    for (const untilMs = Date.now() + patienceMs; ; await setTimeout(1_000, null, { signal })) {
      const results = await everyImage(send);
      byKey = Map.groupBy(results, ({ image }) => image?.key ?? "");
      const final = results.filter(({ status }) => status !== "running").length;
      progress(`${final} of ${images} images are done`);
      if (final >= images || Date.now() > untilMs) break;
    }
    const imagesMs = performance.now() - startedMs;

    const billed = (await control("GET", "billed")) as unknown as { data: BilledCall[] };
    const requests = (await control("GET", "requests")) as { received: number; max_in_flight: number };
    const books = await audit(readRecords(dynamodb, info.table), {
      nowMs: Date.now(),
      graceMs: { http: 60_000, queue: 60_000 },
      queueRetentionMs: 0,
      billed: billed.data,
    });
    const manifest = readManifest(root);
    const mapping = manifest.eventSourceMappings.find(({ queue }) => queue === "ImageUploadedQueue");
    const imagesAtOnce = (mapping?.batchSize ?? 0) * (mapping?.maximumConcurrency ?? 0);
    const known = new Set(answers.ok.map(({ id }) => id));
    return {
      images: {
        dropped: keys.length,
        droppedMs,
        imagesMs,
        statuses: countBy([...byKey.values()].flat(), ({ status }) => status),
      },
      chats: { answered: answers.ok.length, refused: answers.refused, chatMs, ms: answers.ok.map(({ ms }) => ms) },
      lost: keys.filter((key) => !byKey.get(key)?.some(({ status }) => status === "succeeded")).length,
      twice: [...byKey.values()].filter(({ length }) => length > 1).length + answers.ok.length - known.size,
      openai: { ...requests, allowed: imagesAtOnce + chats },
      audit: books,
      memory: memory.report(),
    };
  } finally {
    chatting = false;
    memory.stop();
    s3.destroy();
    dynamodb.destroy();
    await stage.stop();
    await openai.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** All of them at once, as far as S3 takes them. */
async function drop(s3: S3Client, Bucket: string, images: number): Promise<string[]> {
  const keys = Array.from({ length: images }, (_, n) => `uploads/local/${n}.png`);
  let next = 0;
  const put = async () => {
    for (let n = next++; n < images; n = next++) {
      const background = { r: n % 256, g: (n >> 8) % 256, b: 7 };
      const Body = await sharp({ create: { width: 320, height: 240, channels: 3, background } })
        .png()
        .toBuffer();
      await s3.send(new PutObjectCommand({ Bucket, Key: keys[n], Body }));
    }
  };
  await Promise.all(Array.from({ length: 16 }, put));
  return keys;
}

async function everyImage(send: <T>(method: string, path: string) => Promise<{ body: T }>): Promise<Shown[]> {
  const found: Shown[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor && `&cursor=${cursor}`;
    const { body }: { body: { data: Shown[]; next_cursor: string | null } } = await send(
      "GET",
      `/results?limit=100&kind=vision${query}`,
    );
    found.push(...body.data);
    cursor = body.next_cursor;
  }
  return found;
}

const countBy = <T>(items: readonly T[], of: (item: T) => string) =>
  Object.fromEntries([...Map.groupBy(items, of)].map(([name, group]) => [name, group.length]));

/** Resident memory of the processes that run this stage's functions, each second (Linux). */
function sampleMemory(dir: string) {
  const samples: { second: number; function: string; mb: number }[] = [];
  let second = 0;
  const sample = () => {
    second += 1;
    for (const { pid, name } of functionProcesses(dir)) {
      try {
        samples.push({ second, function: name, mb: memoryOf(pid).resident / 1024 / 1024 });
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  const timer = process.platform === "linux" ? setInterval(sample, 1_000) : undefined;
  return {
    stop: () => clearInterval(timer),
    /** Medians over the environments of a function, for each third of the time. */
    report: () =>
      [...Map.groupBy(samples, (one) => one.function)].map(([name, own]) => {
        const third = (n: number) =>
          own.filter((one) => Math.floor(((one.second - 1) / second) * 3) === n).map(({ mb }) => mb);
        const atOnce = Math.max(...[...Map.groupBy(own, (one) => one.second).values()].map(({ length }) => length));
        const [first, middle, last] = [0, 1, 2].map((n) => Math.round(quantile(third(n), 0.5)));
        return { function: name, environments: atOnce, "first third MB": first, "middle MB": middle, "last MB": last };
      }),
  };
}

function report(found: Awaited<ReturnType<typeof load>>): string {
  const { images, chats, openai, audit: books } = found;
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  const rows: [string, string | number][] = [
    ["images dropped", `${images.dropped} in ${seconds(images.droppedMs)} s`],
    ["images done", `${JSON.stringify(images.statuses)} after ${seconds(images.imagesMs)} s`],
    [
      "chats answered",
      `${chats.answered} in ${seconds(chats.chatMs)} s, ${(chats.answered / (chats.chatMs / 1000)).toFixed(0)} a second`,
    ],
    ["chats refused", JSON.stringify(Object.fromEntries(chats.refused))],
    ["chat latency", `p50 ${quantile(chats.ms, 0.5).toFixed(0)} ms, p95 ${quantile(chats.ms, 0.95).toFixed(0)} ms`],
    ["requests to OpenAI", `${openai.received}, each ${rateLimitedOnceIn}th rate limited`],
    ["most at once at OpenAI", `${openai.max_in_flight} of ${openai.allowed} allowed`],
    ["billed calls", `${books.billed?.calls}, ${books.billed?.onResults} on one result each`],
    ["unaccounted attempts", books.ledger.unaccounted_attempts],
    ["lost", found.lost],
    ["two results", found.twice],
    ["not in agreement", books.problems.length],
  ];
  return `${table(rows.map(([what, value]) => ({ what, value })))}\n\n${table(found.memory)}`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(usage);
  const [images, chats, seconds] = [values.images, values.chats, values.seconds].map(Number);
  if (![images, chats, seconds].every((value) => Number.isInteger(value) && Number(value) >= 0)) {
    throw new Error(`--images, --chats and --seconds are whole numbers.\n\n${usage}`);
  }
  const stopping = new AbortController();
  process.once("SIGINT", () => {
    console.error("\nstopping …");
    stopping.abort(new Error("Stopped."));
  });
  const found = await load({ images: images ?? 0, chats: chats ?? 0, seconds: seconds ?? 0, signal: stopping.signal });
  console.log(report(found));
  for (const { check, subject, message } of found.audit.problems) console.log(`${check}: ${subject}: ${message}`);
  const tooMany = found.openai.max_in_flight > found.openai.allowed;
  if (found.lost + found.twice + found.audit.problems.length > 0 || tooMany) process.exitCode = 1;
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
