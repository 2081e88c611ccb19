import { type ChildProcess, spawn } from "node:child_process";

/** The variables that Lambda gives to every function, and that libraries look for. */
const lambda = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  LANG: "en_US.UTF-8",
  TZ: ":UTC",
  AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
  AWS_LAMBDA_FUNCTION_NAME: "bench",
  AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024",
  AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
  AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/bench",
  AWS_LAMBDA_LOG_STREAM_NAME: "2026/11/25/[$LATEST]0123456789abcdef0123456789abcdef",
};

/**
 * Starts the process in which one function is measured. Aborting `signal` kills it.
 *
 * @returns `ended` resolves when it is gone: with why, and its own last words
 */
export function startFunctionProcess(
  script: string,
  { environment, ipc, signal }: { environment: Record<string, string>; ipc: boolean; signal: AbortSignal },
): { child: ChildProcess; ended: Promise<string> } {
  const child = spawn(process.execPath, ["--max-old-space-size=1024", script], {
    env: { ...lambda, ...environment },
    stdio: ["ignore", "pipe", "pipe", ...(ipc ? (["ipc"] as const) : [])],
    signal,
    killSignal: "SIGKILL",
  });
  let words = "";
  child.stdout?.resume();
  child.stderr?.on("data", (chunk) => {
    words = (words + chunk).slice(-4_000);
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", ({ message }) => {
      words ||= message;
    });
    child.once("close", (code, by) => resolve(`ended with ${by ?? `status ${code}`}: ${words}`));
  });
  return { child, ended };
}
