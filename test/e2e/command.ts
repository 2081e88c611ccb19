import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { readManifest } from "@tollgate/local/manifest";
import type { StageInfo } from "@tollgate/local/stage";

const root = resolve(import.meta.dirname, "../..");

/** Runs `npm run keys` or `npm run usage` in a process of its own, on this stage. */
export async function runCommand(stage: StageInfo, name: "audit" | "keys" | "redrive" | "usage", ...args: string[]) {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-command-"));
  writeFileSync(join(dir, "stage.json"), JSON.stringify(stage), { mode: 0o600 });
  try {
    return await run(name, ["--dir", dir, ...args], {});
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The same, in the surroundings that `sst shell` gives it. */
export const runInSstShell = (stage: StageInfo, name: "audit" | "keys" | "redrive" | "usage", ...args: string[]) =>
  run(name, args, {
    SST_RESOURCE_App: JSON.stringify({ name: "tollgate", stage: "production" }),
    SST_RESOURCE_Ledger: JSON.stringify({ name: stage.table, type: "sst.aws.Dynamo" }),
    ...Object.fromEntries(
      Object.entries(readManifest(root).queues).map(([link, { name }]) => [
        `SST_RESOURCE_${link}`,
        JSON.stringify({ url: stage.queue_url.replace(/[^/]+$/, name), type: "sst.aws.Queue" }),
      ]),
    ),
    AWS_REGION: stage.region,
    AWS_ACCESS_KEY_ID: stage.access_key_id,
    AWS_SECRET_ACCESS_KEY: stage.secret_access_key,
    AWS_ENDPOINT_URL_DYNAMODB: stage.dynamodb,
    AWS_ENDPOINT_URL_SQS: stage.sqs,
  });

async function run(name: string, args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [join(root, `packages/cli/src/${name}.ts`), ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((done) => child.on("close", done));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout: stdout.trim(), stderr: stderr.trim() };
}
