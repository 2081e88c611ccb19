// npm run synth: infra/manifest.json from sst.config.ts. npm run platform: only what that needs from the registry.
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { installPlatform } from "./platform.ts";
import { VisibleError } from "./visible-error.ts";

const root = path.resolve(import.meta.dirname, "../../../..");

try {
  await installPlatform(root);
  if (process.argv[2] === "synth") await synth();
} catch (error) {
  if (!(error instanceof VisibleError)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}

async function synth() {
  const { stringify, synthesize } = await import("./synthesize.ts");
  const { summarize } = await import("./summary.ts");
  const { checkTypes } = await import("./types.ts");
  const [manifest] = await Promise.all([synthesize({ root }), checkTypes(root)]);

  const file = path.join(root, "infra/manifest.json");
  const text = stringify(manifest);
  const before = await readFile(file, "utf8").catch(() => "");
  if (text !== before) await writeFile(file, text);
  console.log(`${summarize(manifest)}\n\ninfra/manifest.json ${text === before ? "is up to date" : "written"}`);
}
