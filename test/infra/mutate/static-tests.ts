import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Manifest } from "../../../packages/local/src/manifest.ts";
import { openSuite } from "./suite.ts";
import type { Tests } from "./trial.ts";

/** They evaluate `infra/` itself. The one that compares it with the manifest would notice everything, and tell nothing. */
const readsInfra = (file: string) =>
  readFileSync(join(import.meta.dirname, "../../..", file), "utf8").includes("packages/local/src/synth/");

/** The tests of test/infra that say what the manifest has to be like. */
export async function openStaticTests(manifest: Manifest, signal: AbortSignal) {
  const suite = await openSuite("infra", signal);
  const files = suite.files.filter((file) => dirname(file) === "test/infra" && !readsInfra(file));
  const tests: Tests = (mutant) => suite.firstFailure(files, mutant.manifest);
  const failure = await suite.firstFailure(files, manifest);
  if (failure) throw new Error(`Fails with nothing removed: ${failure}`);
  return { tests, close: suite.close };
}
