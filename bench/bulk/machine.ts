import { cpus } from "node:os";
import { performance } from "node:perf_hooks";

/** How busy the machine was, and this process's own thread, in percent. */
export interface Busy {
  processors: number;
  thread: number;
}

interface Sample {
  /** Epoch milliseconds. */
  atMs: number;
  busyMs: number;
  thread: ReturnType<typeof performance.eventLoopUtilization>;
}

const everyMs = 100;

/** Watches the processors, whoever uses them, and the thread in which this process runs everything. */
export function watchMachine() {
  const samples: Sample[] = [];
  const sample = () => {
    const busyMs = cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
    const thread = performance.eventLoopUtilization();
    samples.push({ atMs: Date.now(), busyMs, thread });
  };
  sample();
  const timer = setInterval(sample, everyMs);
  return {
    stop: () => clearInterval(timer),
    /** Between two moments, in epoch milliseconds. */
    busy(startMs: number, endMs: number): Busy {
      const within = samples.filter(({ atMs }) => atMs >= startMs && atMs <= endMs);
      const [first, last] = [within[0], within.at(-1)];
      if (!first || !last || first === last) return { processors: 0, thread: 0 };
      // Of the whole time: where a processor waits for the disk, it is neither busy nor idle.
      const processors = (last.busyMs - first.busyMs) / (last.atMs - first.atMs) / cpus().length;
      const thread = performance.eventLoopUtilization(last.thread, first.thread).utilization;
      return { processors: 100 * processors, thread: 100 * thread };
    },
  };
}
