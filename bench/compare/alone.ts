import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Measured, Task } from "./probe.ts";
import type { Counts, Services } from "./services.ts";

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
};

/** Measures one function once, in a process of its own. Throws with the process's own words when it fails. */
export async function measure(probe: string, task: Task, environment: Record<string, string>): Promise<Measured> {
  const child = spawn(process.execPath, ["--max-old-space-size=1024", probe, JSON.stringify(task)], {
    env: { ...lambda, ...environment },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let errors = "";
  child.stdout?.resume();
  child.stderr?.on("data", (chunk) => {
    errors = (errors + chunk).slice(-4_000);
  });
  const measured = once(child, "message");
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${task.bundle} failed with exit code ${code}: ${errors}`);
  const [message] = await measured;
  return message as Measured;
}

/** Starts the process that stands in for OpenAI and DynamoDB. It ends when this one does. */
export async function startServices(file: string) {
  const child: ChildProcess = spawn(process.execPath, [file], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const [services] = (await once(child, "message")) as [Services];
  return {
    services,
    async counts(): Promise<Counts> {
      const answer = once(child, "message");
      child.send("counts");
      return (await answer)[0] as Counts;
    },
    stop: async () => {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}
