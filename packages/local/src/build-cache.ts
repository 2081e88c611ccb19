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

/** A build in one file: to rename it puts it in its place whole, whoever does the same at once, and whenever a process ends. */
interface Kept {
  /** What esbuild read, by path from the repository's root. */
  inputs: string[];
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

  function reuse(file: string): BuiltFiles | null {
    try {
      const { inputs, digest, files }: Kept = deserialize(readFileSync(file));
      return digest === digestOf(inputs) ? files : null;
    } catch {
      // None yet, or a broken one.
      return null;
    }
  }

  function keep(file: string, kept: Kept): void {
    try {
      mkdirSync(dir, { recursive: true });
      const unfinished = `${file}.${randomUUID()}`;
      writeFileSync(unfinished, serialize(kept));
      renameSync(unfinished, file);
      for (const other of readdirSync(dir).map((name) => path.join(dir, name)))
        if (statSync(other).mtimeMs < Date.now() - keptMs) rmSync(other, { force: true });
    } catch {
      // Where nothing can be written, every start builds.
    }
  }

  return async (settings: BuildSettings): Promise<BuiltFiles> => {
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
    keep(file, { inputs, digest: digestOf(inputs), files });
    return files;
  };
}
