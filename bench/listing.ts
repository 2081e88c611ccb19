// npm run bench:listing: what a page of many results and an answer about a year of usage take, from the first page to the last.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { table } from "@tollgate/local/table";
import { startLedger } from "./listing/ledger.ts";
import { listPages, type Page, type Query, readUsage } from "./listing/read.ts";
import { dayMs, models, seedResults, seedUsage } from "./listing/seed.ts";
import { quantile } from "./quantile.ts";

const usage = `npm run bench:listing [-- --results 100000]

Fills a DynamoDB Local of its own with so many results of one owner and a year of usage, beside those of others, and reads all of it
as GET /results and GET /usage do.

Milliseconds are of DynamoDB Local and of the code that makes the answer, both on this machine; read units are what AWS would bill.
TMPDIR=/dev/shm fills it in a third of the time (Linux), since DynamoDB Local waits for its disk at every write.`;

const options = {
  results: { type: "string", default: "100000" },
  help: { type: "boolean", short: "h" },
} as const;

const root = resolve(import.meta.dirname, "..");
const owner = "acme";
/** Each has a tenth of the owner's results, and half a year of usage. */
const others = ["beta", "initech", "umbrella"];
const daysOfYear = 365;
/** How often each answer about usage is asked for: the median is shown. */
const repeats = 9;

const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const progress = (step: string) => process.stderr.write(`… ${step}\n`);

type Ledger = Awaited<ReturnType<typeof startLedger>>;

async function seed({ store }: Ledger, count: number, endMs: number): Promise<void> {
  const every = 20_000;
  const onProgress = (what: string) => (done: number) => done % every === 0 && progress(`${done} ${what}`);
  await seedResults(store, count, { owner, endMs, onProgress: onProgress("results") });
  await seedUsage(store, daysOfYear, { owner, endMs });
  for (const other of others) {
    progress(`those of ${other}`);
    await seedResults(store, Math.ceil(count / 10), { owner: other, endMs });
    await seedUsage(store, Math.ceil(daysOfYear / 2), { owner: other, endMs });
  }
}

async function walk(ledger: Ledger, query: Query): Promise<Page[]> {
  progress(`GET /results?${new URLSearchParams(query)}`);
  const pages: Page[] = [];
  for await (const page of listPages(ledger, owner, query)) pages.push(page);
  return pages;
}

/** The n-th tenth of the way, from 0. */
const tenth = (pages: readonly Page[], n: number): readonly Page[] =>
  pages.slice(Math.floor((n * pages.length) / 10), Math.max(1, Math.floor(((n + 1) * pages.length) / 10)));
const p50 = (pages: readonly Page[]) => quantile(of(pages, "ms"), 0.5).toFixed(1);
const p95 = (pages: readonly Page[]) => quantile(of(pages, "ms"), 0.95).toFixed(1);
const of = (pages: readonly Page[], what: keyof Page): number[] => pages.map((page) => page[what]);
const range = (numbers: readonly number[]): string =>
  [...new Set([Math.min(...numbers), Math.max(...numbers)])].map((number) => number.toFixed(1)).join(" to ");

const byTenth = (pages: readonly Page[]) =>
  Array.from({ length: 10 }, (_, n) => {
    const own = tenth(pages, n);
    const [ms, most] = [p50(own), p95(own)];
    return {
      "of the way": `${n * 10} to ${n * 10 + 10} %`,
      "p50 ms": ms,
      "p95 ms": most,
      units: range(of(own, "units")),
    };
  });

const summary = (query: Query, pages: readonly Page[]) => ({
  "GET /results": new URLSearchParams(query).toString(),
  pages: pages.length,
  results: of(pages, "rows").reduce((sum, rows) => sum + rows, 0),
  "first tenth, p50 ms": p50(tenth(pages, 0)),
  "in the middle": p50(tenth(pages, 5)),
  "last tenth": p50(tenth(pages, 9)),
  "p95 ms of all": p95(pages),
  "read units a page": range(of(pages, "units")),
  "calls at most": Math.max(...of(pages, "calls")),
});

async function measureUsage(ledger: Ledger, endMs: number) {
  const now = new Date(endMs);
  const days = (first: number, last: number): Query => ({
    from: isoDay(endMs - first * dayMs),
    to: isoDay(endMs - last * dayMs),
  });
  const answers: [string, Query][] = [
    ["30 days, the last", days(29, 0)],
    ["30 days, half a year ago", days(211, 182)],
    ["30 days, a year ago", days(364, 335)],
    ["a year by day and model", days(364, 0)],
    ["a year by model", { ...days(364, 0), group_by: "model" }],
  ];
  const rows = [];
  for (const [what, query] of answers) {
    const pages: Page[] = [];
    for (let n = 0; n < repeats; n++) pages.push(await readUsage(ledger, owner, query, now));
    const [{ rows: count, bytes, units, calls } = { rows: 0, bytes: 0, units: 0, calls: 0 }] = pages;
    const ms = { "p50 ms": p50(pages), "most ms": Math.max(...of(pages, "ms")).toFixed(1) };
    rows.push({ "GET /usage": what, ...ms, "read units": units, calls, rows: count, KB: Math.round(bytes / 1000) });
  }
  return rows;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(usage);
  const count = Number(values.results);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--results is a whole number from 1.\n\n${usage}`);
  const ledger = await startLedger(root);
  process.once("SIGINT", () => void ledger.stop().then(() => process.exit(130)));
  try {
    await ledger.provision();
    const endMs = Date.now();
    await seed(ledger, count, endMs);
    const month: Query = { from: isoDay(endMs - 200 * dayMs), to: isoDay(endMs - 171 * dayMs) };
    // The first is repeated: code is compiled while it runs for the first time.
    await walk(ledger, { limit: "100" });
    const whole = await walk(ledger, { limit: "100" });
    const rows = [summary({ limit: "100" }, whole)];
    const queries: Query[] = [
      { limit: "20" },
      { limit: "100", ...month },
      { limit: "100", kind: "vision" },
      { limit: "100", status: "failed" },
      { limit: "100", status: "filtered" },
      { limit: "20", status: "filtered" },
      { limit: "1", status: "filtered" },
    ];
    for (const query of queries) rows.push(summary(query, await walk(ledger, query)));
    console.log(`${count} results of one owner. limit=100, by tenth of the way:\n${table(byTenth(whole))}\n`);
    console.log(`${table(rows)}\n`);
    console.log(`${models.length} models a day:\n${table(await measureUsage(ledger, endMs))}`);
  } finally {
    await ledger.stop();
  }
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
