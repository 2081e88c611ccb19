import { hash, randomUUID } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/**
 * What esbuild follows to where imports lead, and does not name among its inputs; and npm's own record of every package that it
 * has installed, since one may come to lie nearer.
 */
const RESOLUTION = /^(package|[jt]sconfig.*|\.package-lock)\.json$/;

/** By as much a file system's clock may be behind: one tick of the kernel's slowest. */
const clockTickMs = 10;

/**
 * Tells whether files that went into a build, by path from `root`, are as they were, and their imports lead where they did. By
 * content: two versions of a file may have one size and, from an archive, one time. What has changed since this was created, or
 * cannot be read, has a digest that nothing else has: nobody knows which content esbuild saw.
 */
export function createDigest(root: string): (inputs: string[]) => string {
  const unchangedMs = Date.now() - clockTickMs;

  const ofFile = once((file) => {
    try {
      const content = readFileSync(file);
      // Unlike the time of its content, this one cannot be set.
      return statSync(file).ctimeMs < unchangedMs ? hash("sha256", content) : randomUUID();
    } catch {
      return randomUUID();
    }
  });

  const ofResolution: (dir: string) => string = once((dir) => {
    const names = namesIn(dir).filter((name) => RESOLUTION.test(name));
    const own = names.sort().map((name) => [name, ofFile(path.join(dir, name))]);
    const above = path.dirname(dir);
    return hash("sha256", JSON.stringify([own, above === dir ? null : ofResolution(above)]));
  });

  return (inputs) => {
    const files = inputs.map((input) => path.resolve(root, input));
    const dirs = new Set(files.map((file) => path.dirname(file)));
    return hash("sha256", JSON.stringify([files.map(ofFile), [...dirs].map(ofResolution)]));
  };
}

function once(digestOf: (path: string) => string): (path: string) => string {
  const known = new Map<string, string>();
  return (path) => {
    const digest = known.get(path) ?? digestOf(path);
    known.set(path, digest);
    return digest;
  };
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    // Folders above the repository may be closed, to esbuild too.
    return [];
  }
}
