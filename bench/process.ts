import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// Read from /proc, which Linux alone has.

export interface FunctionProcess {
  pid: number;
  /** The function's name in `infra/manifest.json`. */
  name: string;
}

/** The processes that run the functions of the stage in `dir`, at this moment. */
export const functionProcesses = (dir: string): FunctionProcess[] =>
  readdirSync("/proc").flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || !readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(join(dir, "functions")))
        return [];
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      const variable = "AWS_LAMBDA_FUNCTION_NAME=";
      const name = environment.find((one) => one.startsWith(variable))?.slice(variable.length);
      return name ? [{ pid: Number(pid), name }] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });

/** In bytes. `peak` is the kernel's own mark, which no moment slips by. Throws when the process is gone. */
export function memoryOf(pid: number | undefined): { resident: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytesOf = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1024;
  return { resident: bytesOf("VmRSS"), peak: bytesOf("VmHWM") };
}
