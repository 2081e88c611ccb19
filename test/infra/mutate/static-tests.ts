import { basename, dirname } from "node:path";
import type { Manifest } from "../../../packages/local/src/manifest.ts";
import { openSuite } from "./suite.ts";
import type { Tests } from "./trial.ts";

/** They compare the manifest with `infra/`, so that they would notice everything and tell nothing; or do not read it at all. */
const others = ["manifest.test.ts", "synth.test.ts", "import-directions.test.ts"];

/** The tests of test/infra that say what the manifest has to be like. */
export async function openStaticTests(manifest: Manifest, signal: AbortSignal) {
  const suite = await openSuite("infra", signal);
  const files = suite.files.filter((file) => dirname(file) === "test/infra" && !others.includes(basename(file)));
  const tests: Tests = (mutant) => suite.firstFailure(files, mutant.manifest);
  const failure = await suite.firstFailure(files, manifest);
  if (failure) throw new Error(`Fails with nothing removed: ${failure}`);
  return { tests, close: suite.close };
}
