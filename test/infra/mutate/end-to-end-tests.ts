import { readFileSync } from "node:fs";
import type { Manifest } from "../../../packages/local/src/manifest.ts";
import { openSuite } from "./suite.ts";
import type { Tests } from "./trial.ts";

/** What one file of end-to-end tests has to do with. */
export interface Witness {
  file: string;
  seconds: number;
  /** The permissions that functions used meanwhile, as test/e2e/permissions.ts writes them. */
  used: string[];
}

/** Runs each file alone, on a stage of its own with nothing removed. */
export async function findWitnesses(
  manifest: Manifest,
  createProgress: (name: string, total: number) => (what: string) => void,
  signal: AbortSignal,
): Promise<Witness[]> {
  const witnesses: Witness[] = [];
  const files = await withSuite(signal, async (suite) => suite.files);
  const progress = createProgress("nothing removed", files.length);
  for (const file of files) {
    progress(file);
    const startedAtMs = performance.now();
    await withSuite(signal, async (suite) => {
      const failure = await suite.firstFailure([file], manifest);
      if (failure) throw new Error(`Fails with nothing removed: ${failure}`);
      const used = readFileSync(suite.provided().usedPermissions, "utf8").split("\n").filter(Boolean);
      witnesses.push({ file, seconds: Math.round((performance.now() - startedAtMs) / 1000), used });
    });
  }
  return witnesses;
}

/** The end-to-end tests that have to do with the mutant, the quickest file first, on a stage without what was removed. */
export const endToEndTests =
  (witnesses: Witness[], signal: AbortSignal): Tests =>
  (mutant) =>
    withSuite(signal, async (suite) => {
      for (const file of filesFor(mutant, witnesses)) {
        const failure = await suite.firstFailure([file], mutant.manifest);
        if (failure) return failure;
      }
      return null;
    });

export const filesFor = ({ trace }: { trace: string }, witnesses: Witness[]): string[] =>
  witnesses
    .filter(({ used }) => used.some((permission) => permission.startsWith(trace)))
    .sort((a, b) => a.seconds - b.seconds)
    .map(({ file }) => file);

async function withSuite<T>(signal: AbortSignal, use: (suite: Awaited<ReturnType<typeof openSuite>>) => Promise<T>) {
  const suite = await openSuite("e2e", signal);
  try {
    return await use(suite);
  } finally {
    await suite.close();
  }
}
