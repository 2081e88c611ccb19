import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type StageInfo, startStage } from "@tollgate/local/stage";
import type { TestProject } from "vitest/node";
import { runtimeClient } from "../runtime-client.ts";

declare module "vitest" {
  interface ProvidedContext {
    stage: StageInfo;
    /** Path of the file that has every line that the functions logged. */
    log: string;
  }
}

/** One stage for all end-to-end tests. Each test has an owner of its own, so that none sees another's results. */
export default async function setup(project: TestProject) {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-e2e-"));
  const log = join(dir, "functions.log");
  const stage = await startStage({
    root: resolve(import.meta.dirname, "../.."),
    dir,
    port: 0,
    runtimeClient,
    log: (source, line) => appendFileSync(log, `${source} ${line}\n`),
    // Short enough for a test to wait for an OpenAI that hangs.
    environment: { OPENAI_ATTEMPT_TIMEOUT_MS: "2000" },
  });
  project.provide("stage", stage.info);
  project.provide("log", log);
  return async () => {
    await stage.stop();
    rmSync(dir, { recursive: true, force: true });
  };
}
