import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readManifest } from "@tollgate/local/manifest";
import { type StageInfo, startStage } from "@tollgate/local/stage";
import type { TestProject } from "vitest/node";
import { runtimeClient } from "../runtime-client.ts";
import { recordUse, unusedPermissions } from "./permissions.ts";

declare module "vitest" {
  interface ProvidedContext {
    stage: StageInfo;
    /** Path of the file that has every line of the stages' logs. */
    log: string;
    /** Path of the file that has every permission that a function has used. */
    usedPermissions: string;
  }
}

const root = resolve(import.meta.dirname, "../..");

/** One stage for all end-to-end tests. Each test has an owner of its own, so that none sees another's results. */
export default async function setup(project: TestProject) {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-e2e-"));
  const log = join(dir, "stage.log");
  const usedPermissions = join(dir, "permissions.txt");
  for (const file of [log, usedPermissions]) writeFileSync(file, "");
  const { manifest = readManifest(root) } = project.getProvidedContext();
  const stage = await startStage({
    root,
    dir,
    port: 0,
    runtimeClient,
    manifest,
    onDecision: recordUse(usedPermissions),
    log: (source, line) => appendFileSync(log, `${source} ${line}\n`),
    // Short enough for a test to wait for an OpenAI that hangs.
    environment: { OPENAI_ATTEMPT_TIMEOUT_MS: "3000" },
  }).catch((error) => {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  });
  await stopClock(stage.info);
  project.provide("stage", stage.info);
  project.provide("log", log);
  project.provide("usedPermissions", usedPermissions);
  return async () => {
    await stage.stop();
    const unused = (await everyTestRan(project)) ? unusedPermissions(manifest, usedPermissions) : [];
    rmSync(dir, { recursive: true, force: true });
    // Vitest fails the run with it.
    if (unused.length > 0)
      throw new Error(`No end-to-end test needs these permissions, which infra/ grants:\n  ${unused.join("\n  ")}`);
  };
}

/** On a day on which OpenAI serves every model that the tests name: later some have ended. */
async function stopClock({ openai }: StageInfo): Promise<void> {
  const { status } = await fetch(`${new URL(openai).origin}/_control/clock`, {
    method: "POST",
    body: JSON.stringify({ now: "2026-11-28T12:00:00Z" }),
  });
  if (status !== 200) throw new Error(`The simulated OpenAI's clock answered ${status}.`);
}

/** Only then does an unused permission tell anything. */
async function everyTestRan(project: TestProject): Promise<boolean> {
  const modules = project.vitest.state.getTestModules().filter((module) => module.project === project);
  const { testFiles } = await project.globTestFiles();
  const isWhole = modules.length === testFiles.length && !project.vitest.getGlobalTestNamePattern();
  return isWhole && modules.every((module) => module.ok());
}
