import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Bundle } from "../bundle.ts";
import type { FunctionSpec } from "../manifest.ts";
import type { OrphanGuard } from "./orphans.ts";

/** Everything that the processes of one function have in common. */
export interface FunctionConfiguration {
  name: string;
  spec: Pick<FunctionSpec, "runtime" | "timeoutSeconds" | "memoryMb" | "logFormat">;
  bundle: Bundle;
  /** Complete: what the function declares, its links, credentials and endpoints. */
  environment: Record<string, string>;
  region: string;
  arn: string;
  /** The script that runs in the process and speaks the Runtime API. */
  runtimeClient: string;
}

/** Starts the process of an execution environment, which sees its own environment variables and no others. */
export function startRuntimeProcess(options: {
  configuration: FunctionConfiguration;
  runtimeApiAddress: string;
  orphans: OrphanGuard;
  onLine(line: string): void;
  /** Called once, when the process is gone and its last line was read. */
  onExit(reason: string): void;
}) {
  const { configuration } = options;
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${configuration.spec.memoryMb}`, "--enable-source-maps", configuration.runtimeClient],
    {
      cwd: configuration.bundle.dir,
      env: environmentOf(configuration, options.runtimeApiAddress),
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own: Ctrl-C in the terminal does not reach it, and what the function started dies with it.
      detached: true,
    },
  );
  if (child.pid !== undefined) options.orphans.watch(child.pid);
  createInterface({ input: child.stdout }).on("line", options.onLine);
  createInterface({ input: child.stderr }).on("line", options.onLine);
  child.once("error", (error) => options.onExit(error.message));
  child.once("exit", () => killGroup(child));
  child.once("close", (code, signal) => {
    if (child.pid === undefined) return;
    options.orphans.release(child.pid);
    options.onExit(exitReason(code, signal));
  });
  return {
    kill: () => killGroup(child),
    /** The most memory that the process ever had resident, where the system tells (Linux). */
    maxMemoryUsedMb: () => maxMemoryUsedMb(child),
  };
}

/**
 * The variables that Lambda defines for a runtime, over those of the function.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, read in November 2026.
 */
function environmentOf(configuration: FunctionConfiguration, runtimeApiAddress: string): Record<string, string> {
  const date = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    ...configuration.environment,
    _HANDLER: configuration.bundle.handler,
    AWS_REGION: configuration.region,
    AWS_DEFAULT_REGION: configuration.region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${configuration.spec.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: configuration.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(configuration.spec.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_FORMAT: configuration.spec.logFormat,
    // Of text, Lambda filters nothing.
    ...(configuration.spec.logFormat === "JSON" && { AWS_LAMBDA_LOG_LEVEL: "INFO" }),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${configuration.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `${date}/[$LATEST]${randomUUID().replaceAll("-", "")}`,
    AWS_LAMBDA_RUNTIME_API: runtimeApiAddress,
    LAMBDA_RUNTIME_DIR: path.dirname(configuration.runtimeClient),
    LAMBDA_TASK_ROOT: configuration.bundle.dir,
  };
}

function killGroup(child: ChildProcess) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody is left in the group.
  }
}

/** Signals in the words of Lambda, whose own program is in Go: SIGABRT is how Node.js ends when its memory does. */
const SIGNAL_WORDS: Partial<Record<NodeJS.Signals, string>> = { SIGKILL: "killed", SIGABRT: "aborted" };

/** In the words of Lambda's `Runtime.ExitError`. */
function exitReason(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `Runtime exited with error: signal: ${SIGNAL_WORDS[signal] ?? signal}`;
  return code === 0 ? "Runtime exited without providing a reason" : `Runtime exited with error: exit status ${code}`;
}

function maxMemoryUsedMb(child: ChildProcess): number | null {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? null : Math.ceil(Number(kilobytes) / 1024);
  } catch {
    return null;
  }
}
