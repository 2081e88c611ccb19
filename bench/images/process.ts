import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { functionProcesses } from "../process.ts";

/** The one process that runs a function of the stage in `dir`. Throws when there is none, or more than one. */
export function processOf(dir: string, functionName: string): number {
  const found = functionProcesses(dir).filter(({ name }) => name === functionName);
  const [one, ...more] = found;
  if (!one || more.length > 0) throw new Error(`${found.length} processes run ${functionName}, and not one.`);
  return one.pid;
}

/** Of the process and of threads that have ended: libvips' own come and go. */
export function cpuMs(pid: number): number {
  // The name, in parentheses, may have spaces; the fields after it are numbered from 3.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks / ticksASecond()) * 1000;
}

const ticksASecond = () => Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
