import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The one process that runs a function of the stage in `dir` (Linux). Throws when there is none, or more than one. */
export function processOf(dir: string, functionName: string): number {
  const found = readdirSync("/proc").filter((pid) => {
    try {
      if (!/^\d+$/.test(pid) || !readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(join(dir, "functions")))
        return false;
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`AWS_LAMBDA_FUNCTION_NAME=${functionName}\0`);
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
  const [pid, ...more] = found;
  if (!pid || more.length > 0) throw new Error(`${found.length} processes run ${functionName}, and not one.`);
  return Number(pid);
}

/** Memory in bytes. `peak` is the kernel's own mark, which no moment slips by; processor time in milliseconds. */
export function usedBy(pid: number): { resident: number; peak: number; cpuMs: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytesOf = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1024;
  // The name, in parentheses, may have spaces; the fields after it are numbered from 3.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { resident: bytesOf("VmRSS"), peak: bytesOf("VmHWM"), cpuMs: (ticks / ticksASecond()) * 1000 };
}

const ticksASecond = () => Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
