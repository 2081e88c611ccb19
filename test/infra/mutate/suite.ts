import { relative, resolve } from "node:path";
import type { ProvidedContext } from "vitest";
import { createVitest, type Reporter } from "vitest/node";
import type { Manifest } from "../../../packages/local/src/manifest.ts";

/** The tests of one project of vitest.config.ts, which may be run again and again. */
export interface Suite {
  /** Test files, from the repository's root. */
  files: string[];
  /**
   * Runs these files against a manifest, up to the first test that fails. A hook is no test: where one fails, no test does.
   *
   * @param onFirstTest hears that the hooks before all tests are through
   * @returns that test, `file › name`; null when all pass
   * @throws when the tests cannot run at all, as when the stage does not start
   */
  firstFailure(files: string[], manifest: Manifest, onFirstTest?: () => void): Promise<string | null>;
  /** What the project's global setup has provided. */
  provided(): ProvidedContext;
  close(): Promise<void>;
}

/** Aborting `signal` ends a run after the tests that are at work. */
export async function openSuite(project: "infra" | "e2e", signal: AbortSignal): Promise<Suite> {
  const failed: string[] = [];
  let begin: (() => void) | undefined;
  const reporter: Reporter = {
    onTestCaseReady() {
      begin?.();
      begin = undefined;
    },
    onTestCaseResult(test) {
      if (test.result().state === "failed") failed.push(`${test.module.relativeModuleId} › ${test.fullName}`);
    },
  };
  const handlers = process.listeners("SIGINT");
  const vitest = await createVitest("test", {
    root: resolve(import.meta.dirname, "../../.."),
    project: [project],
    watch: false,
    reporters: [reporter],
    bail: 1,
  });
  // Vitest's own handler ends the process at once, before the stage has stopped and cleared up.
  for (const added of process.listeners("SIGINT")) if (!handlers.includes(added)) process.off("SIGINT", added);
  const cancel = () => void vitest.cancelCurrentRun("keyboard-input").catch(() => {});
  signal.addEventListener("abort", cancel);
  const specifications = new Map(
    (await vitest.globTestSpecifications()).map((it) => [relative(vitest.config.root, it.moduleId), it]),
  );
  return {
    files: [...specifications.keys()],
    async firstFailure(files, manifest, onFirstTest) {
      signal.throwIfAborted();
      failed.length = 0;
      begin = onFirstTest;
      vitest.provide("manifest", manifest);
      await vitest.runTestSpecifications(files.flatMap((file) => specifications.get(file) ?? []));
      signal.throwIfAborted();
      return failed[0] ?? null;
    },
    provided: () => vitest.getProjectByName(project).getProvidedContext(),
    async close() {
      signal.removeEventListener("abort", cancel);
      await vitest.close();
    },
  };
}
