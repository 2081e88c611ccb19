import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Answer, Graph } from "./graph.ts";
import { VisibleError } from "./visible-error.ts";

/**
 * Evaluates `sst.config.ts` with SST's own components in a process of its own, about 2 s. No account is asked for.
 * The process sees only these variables and the given `settings`, so that the graph follows from the repository alone.
 */
export async function evaluate(root: string, stage = "local", settings: Record<string, string> = {}): Promise<Graph> {
  if (!existsSync(path.join(root, ".sst/platform"))) throw new VisibleError("No .sst/platform here: npm run platform.");
  const answer = await run([root, stage], settings);
  if ("graph" in answer) return answer.graph;
  const traced = answer.placed ? answer : await run([root, stage, "traced"], settings);
  throw new VisibleError("mistake" in traced ? traced.mistake : answer.mistake);
}

async function run([root = "", ...more]: string[], settings: Record<string, string>): Promise<Answer> {
  const { PATH = "", HOME = "" } = process.env;
  const child = fork(fileURLToPath(new URL("./program.ts", import.meta.url)), [root, ...more], {
    cwd: root,
    env: { PATH, HOME, AWS_REGION: "us-east-1", ...settings },
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  return new Promise<Answer>((resolve, reject) => {
    child.once("message", (message) => resolve(message as Answer));
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      reject(new Error(`Evaluating sst.config.ts ended early (${signal ?? code}).`)),
    );
  });
}
