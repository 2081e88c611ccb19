import { hash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { deserialize, serialize } from "node:v8";
import { type BuildOptions, build, version } from "esbuild";
import { createDigest } from "./build-digest.ts";

/** What a build comes to: content by path. The same wherever it is written to, maps included. */
export type BuiltFiles = Map<string, Uint8Array>;

/** Each `out` is as deep as the others. */
export type BuildSettings = BuildOptions & { entryPoints: { in: string; out: string }[] };

/** What went into a build, and what came out of it. */
export interface FinishedBuild {
  /** What esbuild read, by path from the repository's root. */
  inputs: string[];
  /** Of the inputs as the build read them: `createDigest` tells whether they still are the same. */
  digest: string;
  files: BuiltFiles;
}

/** What is older than that is built anew, so that settings which are no longer asked for leave nothing behind. */
const keptMs = 30 * 24 * 3_600_000;

/**
 * esbuild's `build`, which runs only where something has changed since an earlier start kept its result in
 * `node_modules/.cache/tollgate`. For one start: each file is looked at once.
 */
export function createBuild(root: string) {
  const dir = path.join(root, "node_modules/.cache/tollgate");
  const digestOf = createDigest(root);

  function reuse(file: string): FinishedBuild | null {
    try {
      const kept: FinishedBuild = deserialize(readFileSync(file));
      return kept.digest === digestOf(kept.inputs) ? kept : null;
    } catch {
      // None yet, or a broken one.
      return null;
    }
  }

  /** In one file: to rename it puts the build in its place whole, whoever does the same at once, and whenever a process ends. */
  function keep(file: string, finished: FinishedBuild): void {
    try {
      mkdirSync(dir, { recursive: true });
      const unfinished = `${file}.${randomUUID()}`;
      writeFileSync(unfinished, serialize(finished));
      renameSync(unfinished, file);
      for (const other of readdirSync(dir).map((name) => path.join(dir, name)))
        if (statSync(other).mtimeMs < Date.now() - keptMs) rmSync(other, { force: true });
    } catch {
      // Where nothing can be written, every start builds.
    }
  }

  return async (settings: BuildSettings): Promise<FinishedBuild> => {
    // Maps name their sources from where they lie, unless told to go from another folder: from here they are as far from all.
    const folder = path.dirname(settings.entryPoints[0]?.out ?? "");
    const sourceRoot = pathToFileURL(path.join(root, folder, "/")).href;
    const where = { absWorkingDir: root, outdir: root, sourceRoot };
    const options = { ...settings, ...where, write: false, metafile: true } as const;
    const file = path.join(dir, hash("sha256", JSON.stringify([version, options])));
    const reused = reuse(file);
    if (reused) return reused;
    const { outputFiles, metafile } = await build(options);
    const files = new Map(outputFiles.map((built) => [path.relative(root, built.path), built.contents]));
    const inputs = Object.keys(metafile.inputs);
    const finished = { inputs, digest: digestOf(inputs), files };
    keep(file, finished);
    return finished;
  };
}
