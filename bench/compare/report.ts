import { table } from "@tollgate/local/table";
import type { Row } from "./row.ts";
import { baseline } from "./subjects.ts";

/**
 * What every function took, with ratios to naive where that was measured too; and in a table of its own, what streams add to
 * OpenAI's first byte.
 *
 * @param start what a cold start begins with: `import` or `init`
 */
export function report(rows: readonly Row[], start: string): string {
  const naive = rows.find(({ name }) => name === baseline);
  const streams = rows.flatMap(({ name, firstByteMs }) => (firstByteMs ? [{ name, ...firstByteMs }] : []));
  const all = table(
    rows.map((row) => {
      const withRatio = (of: (row: Row) => number) =>
        `${digits(of(row))}${naive ? ` (×${(of(row) / of(naive)).toFixed(2)})` : ""}`;
      return {
        function: row.name,
        "bundle KB": (row.bundleBytes / 1000).toFixed(0),
        [`${start} ms`]: digits(row.initMs),
        "first event ms": digits(row.firstMs),
        "cold ms": withRatio(({ coldMs }) => coldMs),
        "cold CPU ms": withRatio(({ coldCpuMs }) => coldCpuMs),
        "warm p50 ms": withRatio(({ warmP50Ms }) => warmP50Ms),
        "p95 ms": digits(row.warmP95Ms),
        "CPU ms an event": withRatio(({ warmCpuMs }) => warmCpuMs),
        "peak MB": (row.peakBytes / 1e6).toFixed(0),
        calls: `${count(row.callsAnEvent.openai)} + ${count(row.callsAnEvent.dynamodb)}`,
      };
    }),
  );
  if (streams.length === 0) return all;
  const firstBytes = table(
    streams.map(({ name, p50, p95 }) => ({
      stream: name,
      "first byte after OpenAI's, p50 ms": digits(p50),
      "p95 ms": digits(p95),
    })),
  );
  return `${all}\n\n${firstBytes}`;
}

const digits = (value: number) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

/** A whole number for what every event does. */
const count = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));
