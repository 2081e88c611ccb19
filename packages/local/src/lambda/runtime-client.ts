import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const SOURCE = fileURLToPath(new URL("../runtime-client/main.ts", import.meta.url));

/** Compiles the runtime client once, so that no environment spends its cold start on stripping types. */
export async function buildRuntimeClient(): Promise<{ path: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "tollgate-runtime-"));
  const outfile = path.join(dir, "main.mjs");
  await build({ entryPoints: [SOURCE], outfile, bundle: true, platform: "node", format: "esm", target: "esnext" });
  return { path: outfile, remove: () => rm(dir, { recursive: true, force: true }) };
}
