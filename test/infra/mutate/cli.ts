import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Manifest, readManifest } from "../../../packages/local/src/manifest.ts";
import { table } from "../../../packages/local/src/table.ts";
import { endToEndTests, findWitnesses, type Witness } from "./end-to-end-tests.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { createProgress } from "./progress.ts";
import { report, survivorsOf, verdict } from "./report.ts";
import { openStaticTests } from "./static-tests.ts";
import { type Outcome, type Tests, tryEach } from "./trial.ts";

const usage = `npm run mutate:infra [-- --only WORDS] [--list] [--baseline FILE]

Removes from the deployment one thing after the other: each permission, time-out, link, route, index, … of infra/manifest.json.
Each time a test has to fail: one of test/infra, or else an end-to-end test on a stage without that thing. Ends with status 1
when there is something that no test misses.

  --only WORDS       only what has these words in its kind or name: permission, "Chat: link", "visibility timeout"
  --list             say what there is to remove, and remove nothing
  --baseline FILE    keep there which end-to-end tests use what, and read it from there the next time: it takes 8 minutes`;

const options = {
  only: { type: "string", default: "" },
  list: { type: "boolean" },
  baseline: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(usage);
  const manifest = readManifest(resolve(import.meta.dirname, "../../.."));
  const all = mutantsOf(manifest);
  const mutants = all.mutants.filter(({ kind, name }) => `${kind} ${name}`.includes(values.only));
  if (mutants.length === 0) throw new Error(`Nothing has "${values.only}" in its kind or name: see --list.`);
  if (values.list) return console.log(table(mutants.map(({ kind, name }) => ({ kind, removed: name }))));

  const stopping = new AbortController();
  // Often comes twice: from the terminal and from npm.
  process.on("SIGINT", () => {
    if (!stopping.signal.aborted) console.error("\nstopping …");
    stopping.abort(new Error("Stopped."));
  });
  const outcomes: Outcome[] = [];
  try {
    for await (const outcome of tryAll(manifest, mutants, { ...values, signal: stopping.signal }))
      outcomes.push(outcome);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
  console.error(`${all.defaults.length} settings more are what SST and AWS give anyway: without them nothing changes.`);
  console.log(`${report(outcomes)}\n${stopping.signal.aborted ? "Stopped before the end." : verdict(outcomes)}`);
  // Vitest has set it for tests that failed as they should.
  process.exitCode = stopping.signal.aborted || survivorsOf(outcomes).length > 0 ? 1 : 0;
}

interface Options {
  baseline?: string | undefined;
  signal: AbortSignal;
}

/** The quick tests on every mutant, then the end-to-end tests on those that the quick ones let through. */
async function* tryAll(manifest: Manifest, mutants: Mutant[], { baseline, signal }: Options): AsyncGenerator<Outcome> {
  const left: Mutant[] = [];
  const { tests, close } = await openStaticTests(manifest, signal);
  try {
    for await (const outcome of tryEach(mutants, telling("test/infra", mutants, tests), signal)) {
      if (outcome.noticedBy) yield outcome;
      else left.push(outcome.mutant);
    }
  } finally {
    await close();
  }
  if (left.length === 0) return;
  const witnesses = await witnessesFrom(baseline, manifest, signal);
  yield* tryEach(left, telling("test/e2e", left, endToEndTests(witnesses, signal)), signal);
}

/** The tests, with a line of progress before each mutant. */
function telling(name: string, mutants: Mutant[], tests: Tests): Tests {
  const progress = createProgress(name, mutants.length);
  return (mutant) => {
    progress(mutant.name);
    return tests(mutant);
  };
}

async function witnessesFrom(file: string | undefined, manifest: Manifest, signal: AbortSignal): Promise<Witness[]> {
  if (file && existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const witnesses = await findWitnesses(manifest, createProgress, signal);
  if (file) writeFileSync(file, JSON.stringify(witnesses, null, 2));
  return witnesses;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
