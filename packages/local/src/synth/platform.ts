import { spawn } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import path from "node:path";
import { VisibleError } from "./visible-error.ts";

/**
 * Puts SST's platform, its components and the providers' SDKs, into `.sst/platform`: the only step of a synthesis that
 * needs the network. Does nothing when it is there already in the version of the `sst` dependency.
 */
export async function installPlatform(root: string): Promise<void> {
  const wanted: string = JSON.parse(await readFile(path.join(root, "node_modules/sst/package.json"), "utf8")).version;
  if ((await installedVersion(root)) === wanted) return;

  console.error(`Installing SST's platform ${wanted} into .sst/platform, about 35 s, once for each version of sst.`);
  const code = await run(path.join(root, "node_modules/.bin/sst"), ["install", "--stage", "local"], root);
  const installed = await installedVersion(root);
  if (code !== 0 || installed !== wanted)
    throw new VisibleError(
      `SST's platform ${wanted} could not be installed (sst install exited with ${code}, .sst/platform holds ` +
        `${installed ?? "none"}). It comes from the npm registry: check the network and run npm run platform again.`,
    );
}

/** SST writes config.d.ts last, and the version file before anything is downloaded. */
async function installedVersion(root: string) {
  const platform = path.join(root, ".sst/platform");
  try {
    await Promise.all([
      access(path.join(platform, "config.d.ts")),
      access(path.join(platform, "node_modules/@pulumi/aws/package.json")),
    ]);
    return (await readFile(path.join(platform, "version"), "utf8")).trim();
  } catch {
    return null;
  }
}

function run(command: string, args: string[], cwd: string) {
  // npm is there, and Pulumi's engine is not needed to read a configuration.
  const env = { ...process.env, SST_TELEMETRY_DISABLED: "1", SST_NO_BUN: "true", SST_SKIP_DEPENDENCY_CHECK: "true" };
  return new Promise<number | null>((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", reject);
    child.once("exit", resolve);
  });
}
