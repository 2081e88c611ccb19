import { execFile } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { type Bundle, bundleFunctions } from "@tollgate/local/bundle";
import type { Task } from "./measured.ts";
import type { Subject } from "./subjects.ts";

/** A function that is ready to be started. */
export interface BundledSubject {
  name: string;
  environment: Record<string, string>;
  task: Omit<Task, "events">;
  /** What is uploaded, before it is zipped; source maps are not. */
  bundleBytes: number;
}

/** Bundles what is measured as `sst deploy` would. */
export async function bundleSubjects(root: string, outDir: string, subjects: Subject[]): Promise<BundledSubject[]> {
  const functions = Object.fromEntries(subjects.map(({ name, spec }) => [name, spec]));
  const bundles = await bundleFunctions({ root, outDir, functions });
  return subjects.map(({ name, spec, environment, event }) => ({
    name,
    environment,
    task: { module: moduleOf(bundles[name]), exportName: extname(spec.handler).slice(1), event },
    bundleBytes: sizeOf(bundles[name]),
  }));
}

/** Compiles the bench's own processes, so that none of their time goes into stripping types. Returns their scripts. */
export async function bundleProcesses(root: string, outDir: string): Promise<{ probe: string; services: string }> {
  const script = (name: string) => ({
    handler: `bench/compare/${name}.main`,
    build: { minify: false, splitting: false, keepNames: true },
  });
  const functions = { probe: script("probe"), services: script("services") };
  const { probe, services } = await bundleFunctions({ root, outDir, functions });
  return { probe: moduleOf(probe), services: moduleOf(services) };
}

const moduleOf = (bundle: Bundle | undefined) => join(bundle?.dir ?? "", "bundle.mjs");

const sizeOf = (bundle: Bundle | undefined): number =>
  globSync("**/*.mjs", { cwd: bundle?.dir ?? "" }).reduce(
    (sum, file) => sum + statSync(join(bundle?.dir ?? "", file)).size,
    0,
  );

/** Their dependencies are none of ours: a package of its own, with a lock. */
export async function installAlternatives(root: string, signal: AbortSignal): Promise<void> {
  const cwd = join(root, "bench/alternatives");
  await promisify(execFile)("npm", ["ci", "--no-audit", "--no-fund"], { cwd, signal });
}
