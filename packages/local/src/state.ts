import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newApiKey } from "@tollgate/core/key/key";
import * as z from "zod";

const savedState = z.object({ apiKey: z.string(), accessKeyId: z.string(), secretAccessKey: z.string() });

/** What a stage keeps of itself between runs, so that keys and scripts go on working after a restart. */
export type State = z.infer<typeof savedState>;

export function readOrCreateState(dir: string): State {
  const file = join(dir, "state.json");
  if (existsSync(file)) return savedState.parse(JSON.parse(readFileSync(file, "utf8")));
  const state: State = {
    apiKey: newApiKey(),
    accessKeyId: `AKIALOCAL${randomBytes(6).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString("base64"),
  };
  writeFileSync(file, JSON.stringify(state, null, 2), { mode: 0o600 });
  return state;
}

/** Takes the stage's folder for this process. Throws when another process that still runs has it. Returns how to give it back. */
export function lockDir(dir: string): () => void {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, "pid");
  const holder = existsSync(file) ? Number(readFileSync(file, "utf8")) : null;
  if (holder !== null && holder !== process.pid && isRunning(holder)) {
    throw new Error(
      `A stage is running from ${dir} already (process ${holder}). Stop it first, with Ctrl-C where it runs.`,
    );
  }
  writeFileSync(file, String(process.pid));
  return () => rmSync(file, { force: true });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
