// npm run bench: our functions and what people write instead, side by side, each measurement in a fresh process.
import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Bundle, bundleFunctions } from "@tollgate/local/bundle";
import { readManifest } from "@tollgate/local/manifest";
import { table } from "@tollgate/local/table";
import { createCertificate } from "./certificate.ts";
import { measure, startServices } from "./measure.ts";
import type { Measured } from "./probe.ts";
import { type Row, row } from "./row.ts";
import { seed } from "./seed.ts";
import { type Subject, subjects } from "./subjects.ts";

const usage = `npm run bench [-- --rounds 21] [--events 300] [--only chat,naive]

In each round, every function is started once in a fresh process: its bundle is imported, a first event is handled, and then
--events more, one after another. The table has the medians over all rounds.`;

const options = {
  rounds: { type: "string", default: "21" },
  events: { type: "string", default: "300" },
  only: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const root = resolve(import.meta.dirname, "../..");
const progress = (step: string) => process.stderr.write(`… ${step}\n`);

/** Everything is measured against this one. */
const baseline = "naive";

interface BenchOptions {
  rounds: number;
  events: number;
  only: string[] | null;
}

export async function bench({ rounds, events, only }: BenchOptions): Promise<Row[]> {
  installAlternatives();
  const dir = mkdtempSync(join(tmpdir(), "tollgate-bench-"));
  try {
    const processes = await bundleFunctions({
      root,
      outDir: dir,
      functions: { probe: ownProcess("probe"), services: ownProcess("services") },
    });
    const certificate = await createCertificate();
    const trusted = join(dir, "certificate.pem");
    writeFileSync(trusted, certificate.cert);
    const { services, counts, stop } = await startServices(moduleOf(processes.services), certificate);
    try {
      const [ledger] = Object.values(readManifest(root).tables);
      if (ledger) await seed(services.dynamodb, certificate.cert, ledger.name);
      const measured = subjects(root, services).filter(({ name }) => !only || only.includes(name));
      progress(`bundling ${measured.map(({ name }) => name).join("; ")}`);
      const bundles = await bundle(join(dir, "functions"), measured);
      const probe = moduleOf(processes.probe);
      const runs = new Map<Subject, Measured[]>(measured.map((subject) => [subject, []]));
      const calls = new Map<Subject, { openai: number; dynamodb: number }>();
      for (let round = 1; round <= rounds; round++) {
        progress(`round ${round} of ${rounds}`);
        for (const [subject, own] of runs) {
          const before = await counts();
          const environment = { ...subject.environment, NODE_EXTRA_CA_CERTS: trusted };
          own.push(await measure(probe, { ...taskOf(subject, bundles), events }, environment));
          const after = await counts();
          calls.set(subject, { openai: after.openai - before.openai, dynamodb: after.dynamodb - before.dynamodb });
        }
      }
      const found = measured.map((subject) =>
        row({
          name: subject.name,
          bundleBytes: sizeOf(bundles[slug(subject)]),
          runs: runs.get(subject) ?? [],
          callsAnEvent: {
            openai: (calls.get(subject)?.openai ?? 0) / (events + 1),
            dynamodb: (calls.get(subject)?.dynamodb ?? 0) / (events + 1),
          },
        }),
      );
      return found;
    } finally {
      await stop();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Their dependencies are none of ours: a package of its own, with a lock. */
function installAlternatives(): void {
  const cwd = join(root, "bench/alternatives");
  progress("installing the alternatives");
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd, stdio: ["ignore", "ignore", "inherit"] });
}

const slug = ({ name }: Subject) => name.replaceAll(/\W+/g, "-");

const bundle = (outDir: string, measured: Subject[]) =>
  bundleFunctions({
    root,
    outDir,
    functions: Object.fromEntries(measured.map((subject) => [slug(subject), subject.spec])),
  });

/** Compiled, so that none of its time goes into stripping types. */
const ownProcess = (name: string) => ({
  handler: `bench/compare/${name}.main`,
  build: { minify: false, splitting: false, keepNames: true },
});

const moduleOf = (bundle: Bundle | undefined) => join(bundle?.dir ?? "", "bundle.mjs");

function taskOf(subject: Subject, bundles: Record<string, Bundle>) {
  const bundle = bundles[slug(subject)];
  return { bundle: moduleOf(bundle), exportName: extname(bundle?.handler ?? "").slice(1), event: subject.event };
}

/** What is uploaded, before it is zipped; source maps are not. */
const sizeOf = (bundle: Bundle | undefined): number =>
  globSync("**/*.mjs", { cwd: bundle?.dir ?? "" })
    .map((file) => statSync(join(bundle?.dir ?? "", file)).size)
    .reduce((sum, size) => sum + size, 0);

function report(rows: Row[]): string {
  const naive = rows.find(({ name }) => name === baseline);
  const against = (value: number, of: (row: Row) => number) =>
    naive ? `${value.toFixed(value < 10 ? 2 : 0)} (×${(value / of(naive)).toFixed(2)})` : value.toFixed(2);
  return table(
    rows.map((row) => ({
      function: row.name,
      "bundle KB": (row.bundleBytes / 1000).toFixed(0),
      "import ms": row.importMs.toFixed(1),
      "first event ms": row.firstMs.toFixed(1),
      "cold ms": against(row.coldMs, ({ coldMs }) => coldMs),
      "cold CPU ms": against(row.coldCpuMs, ({ coldCpuMs }) => coldCpuMs),
      "warm p50 ms": against(row.warmP50Ms, ({ warmP50Ms }) => warmP50Ms),
      "p95 ms": row.warmP95Ms.toFixed(2),
      "CPU ms an event": against(row.warmCpuMs, ({ warmCpuMs }) => warmCpuMs),
      "peak MB": (row.peakBytes / 1e6).toFixed(0),
      "calls to OpenAI, DynamoDB": `${row.callsAnEvent.openai}, ${row.callsAnEvent.dynamodb}`,
    })),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(usage);
  const [rounds, events] = [Number(values.rounds), Number(values.events)];
  if (![rounds, events].every((value) => Number.isInteger(value) && value > 0)) {
    throw new Error(`--rounds and --events are whole numbers above 0.\n\n${usage}`);
  }
  console.log(report(await bench({ rounds, events, only: values.only?.split(",") ?? null })));
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
