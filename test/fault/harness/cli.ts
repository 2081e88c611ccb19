import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { table } from "@tollgate/local/table";
import { type Run, runOnce } from "./run.ts";
import { count, type Tally } from "./stage.ts";

const usage = `npm run fault [-- --runs 10] [--seed 1] [--seconds 20]

Drives running stages in which DynamoDB, S3, SQS, OpenAI, functions and clients fail, and holds the books against each other
afterwards. Run n has the seed --seed + n; a run takes --seconds and about a minute more. Ends with status 1 when anything was
lost, doubled or does not agree.`;

const options = {
  runs: { type: "string", default: "3" },
  seed: { type: "string", default: "1" },
  seconds: { type: "string", default: "20" },
  help: { type: "boolean", short: "h" },
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(usage);
  const [runs, firstSeed, seconds] = [values.runs, values.seed, values.seconds].map(Number);
  if (!runs || firstSeed === undefined || !seconds || ![runs, firstSeed, seconds].every(Number.isInteger)) {
    throw new Error(`--runs, --seed and --seconds are whole numbers.\n\n${usage}`);
  }
  const stopping = new AbortController();
  process.once("SIGINT", () => {
    console.error("\nstopping …");
    stopping.abort(new Error("Stopped."));
  });
  const done: Run[] = [];
  const stuck: string[] = [];
  for (let n = 0; n < runs; n++) {
    const seed = firstSeed + n;
    const progress = (step: string) => console.error(`… run ${n + 1} of ${runs}, seed ${seed}: ${step}`);
    try {
      done.push(await runOnce({ seed, seconds, progress, signal: stopping.signal }));
    } catch (error) {
      if (stopping.signal.aborted) break;
      stuck.push(`seed ${seed}: ${error instanceof Error ? error.message : error}`);
      await setTimeout(0);
    }
  }
  console.log(report(done));
  const wrong = [...stuck, ...done.flatMap(problemsOf)];
  console.log(wrong.length === 0 ? "Nothing lost, nothing double, everything agrees." : wrong.join("\n"));
  if (wrong.length > 0 || stopping.signal.aborted) process.exitCode = 1;
}

const problemsOf = ({ seed, verdict: { audit, lost, double } }: Run): string[] => [
  ...lost.map((what) => `seed ${seed}: lost: ${what}`),
  ...double.map((what) => `seed ${seed}: double: ${what}`),
  ...audit.problems.map(({ check, subject, message }) => `seed ${seed}: ${check}: ${subject}: ${message}`),
];

function report(runs: readonly Run[]): string {
  const sum = (of: (run: Run) => number) => runs.reduce((total, run) => total + of(run), 0);
  const merged = (of: (run: Run) => Tally) => {
    const all: Tally = new Map();
    for (const run of runs) for (const [name, value] of of(run)) count(all, name, value);
    return [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  };
  const rows = (what: string, entries: [string, number][]) =>
    entries.map(([of, value], i) => ({ what: i === 0 ? what : "", of, count: value }));
  const billed = sum(({ verdict }) => verdict.audit.billed?.calls ?? 0);
  const onResults = sum(({ verdict }) => verdict.audit.billed?.onResults ?? 0);
  const unaccounted = sum(({ verdict }) => verdict.audit.ledger.unaccounted_attempts);
  return table([
    ...rows("runs", [["", runs.length]]),
    ...rows(
      "requests",
      merged(({ requests }) => requests),
    ),
    ...rows(
      "faults",
      merged(({ faults }) => faults),
    ),
    ...rows(
      "results",
      merged(({ verdict }) => verdict.statuses),
    ),
    ...rows("billed calls", [
      ["on one result each", onResults],
      ["on none: their answer never came", billed - onResults],
    ]),
    ...rows("unaccounted", [
      ["attempts in all", unaccounted],
      ["of them not billed, which could not be known", unaccounted - (billed - onResults)],
    ]),
    ...rows("wrong", [
      ["lost", sum(({ verdict }) => verdict.lost.length)],
      ["double", sum(({ verdict }) => verdict.double.length)],
      ["not in agreement", sum(({ verdict }) => verdict.audit.problems.length)],
    ]),
  ]);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
