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
  /** Those of them that they used before the first test: a hook that waits for them keeps all tests from failing. */
  usedByHooks: string[];
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
      const usedNow = () => usedPermissions(suite.provided().usedPermissions);
      let usedByHooks: string[] = [];
      const failure = await suite.firstFailure([file], manifest, () => {
        usedByHooks = usedNow();
      });
      if (failure) throw new Error(`Fails with nothing removed: ${failure}`);
      const seconds = Math.round((performance.now() - startedAtMs) / 1000);
      witnesses.push({ file, seconds, used: usedNow(), usedByHooks });
    });
  }
  return witnesses;
}

/** But for those that Lambda uses to poll a queue, whether or not there is anything in it. */
const usedPermissions = (file: string): string[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line && !/ sqs:(ReceiveMessage|GetQueueAttributes) /.test(line));

/** The end-to-end tests that have to do with the mutant, on a stage without what was removed. */
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

/** First those whose hooks can do without what was removed, and of them the quickest. */
export function filesFor({ trace }: { trace: string }, witnesses: Witness[]): string[] {
  const traced = (permissions: string[]) => permissions.some((permission) => permission.startsWith(trace));
  return witnesses
    .filter(({ used }) => traced(used))
    .sort((a, b) => Number(traced(a.usedByHooks)) - Number(traced(b.usedByHooks)) || a.seconds - b.seconds)
    .map(({ file }) => file);
}

async function withSuite<T>(signal: AbortSignal, use: (suite: Awaited<ReturnType<typeof openSuite>>) => Promise<T>) {
  const suite = await openSuite("e2e", signal);
  try {
    return await use(suite);
  } finally {
    await suite.close();
  }
}
