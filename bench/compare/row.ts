import type { Measured } from "./probe.ts";

/** What one function took: medians over the rounds, of times in milliseconds and memory in bytes. */
export interface Row {
  name: string;
  bundleBytes: number;
  importMs: number;
  firstMs: number;
  /** Import and first event together. */
  coldMs: number;
  coldCpuMs: number;
  warmP50Ms: number;
  warmP95Ms: number;
  /** Of the process, for each event after the first. */
  warmCpuMs: number;
  peakBytes: number;
  callsAnEvent: { openai: number; dynamodb: number };
}

export function row(found: Pick<Row, "name" | "bundleBytes" | "callsAnEvent"> & { runs: Measured[] }): Row {
  const { runs, ...identity } = found;
  const over = (of: (run: Measured) => number) => quantile(runs.map(of), 0.5);
  return {
    ...identity,
    importMs: over(({ importMs }) => importMs),
    firstMs: over(({ firstMs }) => firstMs),
    coldMs: over(({ importMs, firstMs }) => importMs + firstMs),
    coldCpuMs: over(({ coldCpuMs }) => coldCpuMs),
    warmP50Ms: over(({ warmMs }) => quantile(warmMs, 0.5)),
    warmP95Ms: over(({ warmMs }) => quantile(warmMs, 0.95)),
    warmCpuMs: over(({ warmCpuMs, warmMs }) => warmCpuMs / warmMs.length),
    peakBytes: over(({ peakBytes }) => peakBytes),
  };
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
