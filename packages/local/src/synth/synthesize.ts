import type { Manifest } from "../manifest.ts";
import { evaluate } from "./evaluate.ts";
import { readManifest } from "./read.ts";

/**
 * What `sst deploy` would make of the `sst.config.ts` in `root`. Needs SST's platform in `.sst/platform` (`npm run
 * platform`), no AWS account and no network. Throws a `VisibleError` when the configuration does not evaluate, or
 * declares what the local stage could not make.
 */
export async function synthesize({ root }: { root: string }): Promise<Manifest> {
  return readManifest(await evaluate(root));
}

/** As it stands in `infra/manifest.json`. */
export function stringify(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
