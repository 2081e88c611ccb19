import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const SOURCE = fileURLToPath(new URL("../runtime-client/main.ts", import.meta.url));

/** Compiles the runtime client once, so that no environment spends its cold start on stripping types. Returns its path. */
export async function buildRuntimeClient(dir: string): Promise<string> {
  const outfile = path.join(dir, "runtime-client.mjs");
  await build({ entryPoints: [SOURCE], outfile, bundle: true, platform: "node", format: "esm", target: "esnext" });
  return outfile;
}
