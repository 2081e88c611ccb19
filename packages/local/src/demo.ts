import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { presentResult } from "@tollgate/core/result/result";
import type { usageReport } from "@tollgate/core/usage/ledger";
import { localOwner } from "./provision.ts";
import { clientOptions, type Stage, type StageInfo, startStage } from "./stage.ts";
import { table } from "./table.ts";

type Result = ReturnType<typeof presentResult>;
type Usage = Awaited<ReturnType<typeof usageReport>>;

const root = resolve(import.meta.dirname, "../../..");
const photos = join(root, "examples/photos");
const formatOf: Record<string, string> = { jpg: "jpeg", png: "png", webp: "webp", gif: "gif" };
const patienceMs = 60_000;

/** One chat and four photographs through a stage of its own: what came back, and what it cost. Throws when any of it is wrong. */
async function demo(stage: Stage): Promise<void> {
  const { info } = stage;
  step("asking POST /chat for a sentiment");
  const chat = await api<Result>(info, "POST", "/chat", {
    schema: "sentiment",
    messages: [{ role: "user", content: "I love this product! Setting it up was painful, though." }],
  });
  check(chat.status === "succeeded" && chat.output !== null, `the chat ended as ${chat.status}`);

  const files = readdirSync(photos).filter((file) => formatOf[extensionOf(file)]);
  const s3 = new S3Client({ ...clientOptions(info), endpoint: info.s3, forcePathStyle: true });
  for (const file of files) {
    step(`putting ${file} into s3://${info.bucket}/uploads/${localOwner}/`);
    const Key = `uploads/${localOwner}/${file}`;
    await s3.send(new PutObjectCommand({ Bucket: info.bucket, Key, Body: readFileSync(join(photos, file)) }));
  }
  s3.destroy();

  const images = await imagesWhenDone(info, files.length);
  console.log("\nPOST /chat answered\n", chat.output);
  for (const { image, output } of images) console.log(`\n${image?.key}\n`, output);
  checkImages(images, files);

  const usage = await api<Usage>(info, "GET", "/usage");
  const results = [chat, ...images];
  console.log("\nResults");
  console.log(table(results.map(rowOf)));
  console.log("Usage, as on the ledger");
  console.log(table(usage.data));
  const billed = sum(results.map(({ usage }) => usage?.total_tokens ?? 0));
  check(
    usage.total.total_tokens === billed,
    `the ledger has ${usage.total.total_tokens} tokens, the results ${billed}`,
  );
  check(usage.total.requests === results.length, `the ledger has ${usage.total.requests} requests`);
}

async function imagesWhenDone(info: StageInfo, count: number): Promise<Result[]> {
  const until = Date.now() + patienceMs;
  for (let done = -1; ; await pause(200)) {
    const { data } = await api<{ data: Result[] }>(info, "GET", "/results?kind=vision&limit=100");
    const finished = data.filter(({ status }) => status !== "running");
    if (finished.length !== done) step(`images analysed: ${finished.length} of ${count}`);
    done = finished.length;
    if (done === count) return data;
    check(Date.now() < until, `only ${done} of ${count} images were analysed in ${patienceMs / 1000} s`);
  }
}

function checkImages(images: Result[], files: string[]): void {
  for (const file of files) {
    const result = images.find(({ image }) => image?.key?.endsWith(`/${file}`));
    check(result?.status === "succeeded" && result.output !== null, `${file} ended as ${result?.status ?? "nothing"}`);
    const format = formatOf[extensionOf(file)];
    check(result.image?.format === format, `${file} was taken for ${result.image?.format}, and is ${format}`);
  }
}

const rowOf = ({ kind, status, model, image, usage, cost, latency_ms }: Result) => ({
  kind,
  image: image?.key?.split("/").at(-1) ?? "",
  format: image?.format ?? "",
  size: image?.width ? `${image.width}×${image.height}` : "",
  status,
  model,
  prompt_tokens: usage?.prompt_tokens,
  completion_tokens: usage?.completion_tokens,
  usd: cost?.usd,
  latency_ms,
});

async function api<T>(info: StageInfo, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${info.api}${path}`, {
    method,
    headers: { authorization: `Bearer ${info.api_key}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  check(response.ok, `${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

function check(condition: boolean, complaint: string): asserts condition {
  if (!condition) throw new Error(`The demo failed: ${complaint}.`);
}

const extensionOf = (file: string) => file.split(".").at(-1) ?? "";
const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
const startedMs = Date.now();
const step = (text: string) => console.error(`${((Date.now() - startedMs) / 1000).toFixed(1).padStart(5)} s  ${text}`);

const dir = mkdtempSync(join(tmpdir(), "tollgate-demo-"));
const starting = startStage({ root, dir, port: 0, progress: step });
const end = async (code: number) => {
  await starting.then(
    (stage) => stage.stop(),
    () => {},
  );
  rmSync(dir, { recursive: true, force: true });
  process.exit(code);
};
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => end(130));
try {
  await demo(await starting);
  step("all of it is right");
  await end(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await end(1);
}
