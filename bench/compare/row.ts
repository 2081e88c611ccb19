import { quantile } from "../quantile.ts";
import type { Measured } from "./measured.ts";

/** What one function took: medians over the rounds, of times in milliseconds and memory in bytes. */
export interface Row {
  name: string;
  bundleBytes: number;
  initMs: number;
  firstMs: number;
  /** Init and first event together. */
  coldMs: number;
  coldCpuMs: number;
  warmP50Ms: number;
  warmP95Ms: number;
  /** Of the process, for each event after the first. */
  warmCpuMs: number;
  peakBytes: number;
  /** Of a stream, from OpenAI's first byte to ours; null for what is no stream. */
  firstByteMs: { p50: number; p95: number } | null;
  callsAnEvent: { openai: number; dynamodb: number };
}

export function row(found: Pick<Row, "name" | "bundleBytes" | "callsAnEvent"> & { runs: Measured[] }): Row {
  const { name, bundleBytes, callsAnEvent, runs } = found;
  const over = (of: (run: Measured) => number) => quantile(runs.map(of), 0.5);
  const streams = runs.some(({ firstByteMs }) => firstByteMs.length > 0);
  return {
    name,
    bundleBytes,
    callsAnEvent,
    initMs: over(({ initMs }) => initMs),
    firstMs: over(({ firstMs }) => firstMs),
    coldMs: over(({ initMs, firstMs }) => initMs + firstMs),
    coldCpuMs: over(({ coldCpuMs }) => coldCpuMs),
    warmP50Ms: over(({ warmMs }) => quantile(warmMs, 0.5)),
    warmP95Ms: over(({ warmMs }) => quantile(warmMs, 0.95)),
    warmCpuMs: over(({ warmCpuMs, warmMs }) => warmCpuMs / warmMs.length),
    peakBytes: over(({ peakBytes }) => peakBytes),
    firstByteMs: streams
      ? {
          p50: over(({ firstByteMs }) => quantile(firstByteMs, 0.5)),
          p95: over(({ firstByteMs }) => quantile(firstByteMs, 0.95)),
        }
      : null,
  };
}
