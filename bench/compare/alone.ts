import { startFunctionProcess } from "./function-process.ts";
import type { Measured, Task } from "./measured.ts";

/** Measures one function once, in a fresh process without a runtime. Throws with the process's own words when it fails. */
export async function measureAlone(
  probe: string,
  task: Task,
  environment: Record<string, string>,
  signal: AbortSignal,
): Promise<Measured> {
  const { child, ended } = startFunctionProcess(probe, { environment, ipc: true, signal });
  let measured: Measured | undefined;
  child.once("message", (message: Measured) => {
    measured = message;
  });
  child.send(task);
  const why = await ended;
  if (!measured) throw new Error(`The process ${why}`);
  return measured;
}
