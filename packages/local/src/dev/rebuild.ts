import { rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { BuildFailure } from "esbuild";
import { createDigest } from "../build-digest.ts";
import { type BuiltFunction, bundleFunctions } from "../bundle.ts";
import type { Lambda } from "../lambda/lambda.ts";
import type { FunctionSpec } from "../manifest.ts";
import { watchDeployment } from "./deployment.ts";
import { watchFolders } from "./folders.ts";

/** An editor, or git, writes several files in a row: a rebuild waits for them. `createDigest` needs 10 ms since the last change. */
const quietMs = 50;

/**
 * Gives functions new code when the content of their sources changes, first to those that are in use: a change that all of them
 * import takes many seconds. A function that does not build keeps its old code until the next change.
 *
 * @param options.dir receives the bundles, each in a folder of its own, which is removed when no environment runs from it any more
 * @param options.built what the functions run now
 */
export function watchFunctions(options: {
  root: string;
  dir: string;
  functions: Record<string, Pick<FunctionSpec, "handler" | "build">>;
  built: Record<string, BuiltFunction>;
  lambda: Pick<Lambda, "replace" | "isInUse">;
  report(message: string): void;
}): { stop(): Promise<void> } {
  const { root, dir, functions, lambda, report } = options;
  const current = new Map(Object.entries(options.built));
  const deploymentChange = watchDeployment(root);
  let builds = 0;
  let changed = false;
  let stopped = false;
  let working: Promise<void> | null = null;

  /** The folders of the root that hold sources, and infra/. */
  const folders = () => {
    const inputs = [...current.values()].flatMap(({ inputs }) => inputs);
    return new Set(["infra", ...inputs.filter(isOwnSource).map((file) => file.split("/")[0] ?? "")]);
  };

  async function rebuild(name: string): Promise<void> {
    const spec = functions[name];
    if (!spec) return;
    builds += 1;
    const outDir = path.join(dir, String(builds));
    const built = (await bundleFunctions({ root, outDir, functions: { [name]: spec } }))[name];
    const old = current.get(name);
    if (!built) return;
    current.set(name, built);
    const ended = lambda.replace(name, built);
    const oldDir = old && path.dirname(old.dir);
    if (!oldDir || path.dirname(oldDir) !== dir) return;
    // What cannot be removed now is removed when the stage stops.
    ended.then(() => rm(oldDir, { recursive: true, force: true })).catch(() => {});
  }

  /** Ends early for a newer change, after which the rest is still to do. Says in one line what it did, and why a function did not build. */
  async function rebuildAll(outdated: string[], knownProblems: Set<string>): Promise<void> {
    const startedAtMs = performance.now();
    const rebuilt: string[] = [];
    const failed = new Map<string, string[]>();
    for (const name of outdated) {
      try {
        await rebuild(name);
        rebuilt.push(name);
      } catch (error) {
        const problem = problemOf(error);
        failed.set(problem, [...(failed.get(problem) ?? []), name]);
      }
      if (changed || stopped) break;
    }
    if (rebuilt.length > 0)
      report(`rebuilt ${rebuilt.join(", ")} in ${Math.round(performance.now() - startedAtMs)} ms`);
    for (const [problem, names] of failed) {
      if (!knownProblems.has(problem)) report(`${names.join(", ")}: the old code goes on, since\n${problem}`);
      knownProblems.add(problem);
    }
  }

  async function rebuildOutdated(): Promise<void> {
    const digestOf = createDigest(root);
    const outdated = Object.keys(functions).filter((name) => {
      const own = current.get(name);
      return !own || digestOf(own.inputs) !== own.digest;
    });
    const inUse = outdated.filter((name) => lambda.isInUse(name));
    const others = outdated.filter((name) => !inUse.includes(name));
    const knownProblems = new Set<string>();
    for (const names of [inUse, others]) if (!changed && !stopped) await rebuildAll(names, knownProblems);
  }

  async function work(): Promise<void> {
    while (changed && !stopped) {
      changed = false;
      await pause(quietMs);
      // Before anything is read, so that no later change is missed.
      watched.refresh();
      const deployment = deploymentChange();
      if (deployment) report(deployment);
      const before = folders();
      await rebuildOutdated();
      // A source may come from a folder that was not watched while it was read.
      if ([...folders()].some((folder) => !before.has(folder))) changed = true;
    }
  }

  const onChange = () => {
    changed = true;
    working ??= work()
      .catch((error: unknown) =>
        report(`The watch failed, and goes on: ${error instanceof Error ? error.stack : error}`),
      )
      .finally(() => {
        working = null;
      });
  };

  const watched = watchFolders(root, folders, onChange);
  // Sources may have changed since they were built.
  onChange();
  return {
    async stop() {
      stopped = true;
      watched.close();
      await working;
      // A round that was at work may have begun to watch anew.
      watched.close();
    },
  };
}

const isOwnSource = (file: string) => file.includes("/") && !/^(\.\.|node_modules)\//.test(file);

/** Each of esbuild's errors with its place, `packages/functions/src/chat.ts:12:3`, and the line that it is about. */
function problemOf(error: unknown): string {
  const { errors = [] } = error as Partial<BuildFailure>;
  if (errors.length === 0) return `  ${error instanceof Error ? error.message : error}`;
  return errors
    .map(({ text, location }) => {
      if (!location) return `  ${text}`;
      const { file, line, column, lineText } = location;
      const code = lineText.trim();
      return `  ${file}:${line}:${column + 1}: ${text}${code && `\n    ${code}`}`;
    })
    .join("\n");
}
