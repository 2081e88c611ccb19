import { readFile } from "node:fs/promises";
import path from "node:path";
import { inject } from "vitest";
import type { Manifest } from "../../packages/local/src/manifest.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Another manifest than the committed one: `npm run mutate:infra` removes things from it. */
    manifest: Manifest | undefined;
  }
}

export const root = path.resolve(import.meta.dirname, "../..");

/** infra/manifest.json as committed. manifest.test.ts makes sure that it is what infra/ says. */
export async function committedManifest(): Promise<Manifest> {
  return inject("manifest") ?? JSON.parse(await readFile(path.join(root, "infra/manifest.json"), "utf8"));
}

/** The entry of that name, or a failure that lists the names there are. */
export function named<T>(entries: Record<string, T>, name: string): T {
  const entry = entries[name];
  if (!entry) throw new Error(`No ${name} in the manifest, only ${Object.keys(entries).join(", ")}.`);
  return entry;
}
