import { setTimeout } from "node:timers/promises";
import { type Audit, audit, type BilledCall, type Problem } from "@tollgate/core/audit/audit";
import { readRecords } from "@tollgate/core/audit/read";
import { formatUsd } from "@tollgate/core/usage/cost";
import { readManifest } from "@tollgate/local/manifest";
import { table } from "@tollgate/local/table";
import * as z from "zod";
import { parseCommand, run, UsageError } from "./command.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { localStage, root } from "./stage.ts";

const usage = `npm run audit                            hold results, counters, budgets and what OpenAI billed against each other
      -- --from 2026-11-01               leave out the days (UTC) before, whose results have expired
      -- --json                          as JSON

It ends with status 1 when something does not agree. It works on the running local stage (--dir FOLDER when it was started
with one); for a deployed one: npx sst shell --stage <stage> -- npm run audit`;

/** A stage at work changes while it is read: what does not agree twice in the same way is no accident. */
const passes = 3;
const betweenPassesMs = 2_000;

const shownProblems = 50;

async function main(): Promise<void> {
  const { values, positionals } = parseCommand({ from: { type: "string" }, json: { type: "boolean" } });
  if (values.help) return console.log(usage);
  if (positionals.length > 0) throw new UsageError(`What is "${positionals.join(" ")}"?`);
  if (values.from !== undefined && !z.iso.date().safeParse(values.from).success) {
    throw new UsageError(`--from: "${values.from}" is no day. Give one as 2026-11-01.`);
  }
  const ledger = openLedger(values.dir);
  const openai = localStage(values.dir)?.openai ?? null;
  let found = await auditOnce(ledger, openai, values.from);
  for (let pass = 2; pass <= passes && found.problems.length > 0; pass++) {
    await setTimeout(betweenPassesMs);
    const again = await auditOnce(ledger, openai, values.from);
    found = { ...again, problems: again.problems.filter((problem) => found.problems.some(isSame(problem))) };
  }
  console.log(values.json ? JSON.stringify(found, null, 2) : report(found));
  if (found.problems.length > 0) process.exitCode = 1;
}

const isSame = (a: Problem) => (b: Problem) => a.subject === b.subject && a.message === b.message;

async function auditOnce(
  { dynamodb, tableName }: Ledger,
  openai: string | null,
  from: string | undefined,
): Promise<Audit> {
  const progress = process.stderr.isTTY
    ? (items: number) => process.stderr.write(`\r… ${items.toLocaleString("en")} items read `)
    : () => {};
  // What was billed before the table is read has had the time to get there.
  const billed = openai ? await billedBy(openai, from) : undefined;
  const found = await audit(readRecords(dynamodb, tableName, progress), {
    nowMs: Date.now(),
    from,
    ...limits(),
    billed,
  });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  return found;
}

/** How long the stage that `infra/` makes takes to end what has died. */
function limits() {
  const { functions, queues, schedules } = readManifest(root);
  const graceOf = (name: string): number => Number(functions.Sweep?.environment[name]);
  const twoRoundsMs = 2_000 * (schedules.SweepSchedule?.everySeconds ?? Number.NaN);
  return {
    graceMs: {
      http: graceOf("SWEEP_HTTP_GRACE_MS") + twoRoundsMs,
      queue: graceOf("SWEEP_QUEUE_GRACE_MS") + twoRoundsMs,
    },
    queueRetentionMs: 1_000 * Math.max(...Object.values(queues).map(({ retentionSeconds }) => retentionSeconds)),
  };
}

const billedCalls = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      /** Unix seconds. */
      created: z.int(),
      usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int() }),
    }),
  ),
});

/** What the simulated OpenAI billed since that day; nothing from another server, which does not tell. */
async function billedBy(openai: string, from = ""): Promise<BilledCall[] | undefined> {
  const response = await fetch(new URL("/_control/billed", openai)).catch(() => null);
  if (!response?.ok) return undefined;
  const parsed = billedCalls.safeParse(await response.json().catch(() => null));
  return parsed.data?.data.filter(({ created }) => new Date(created * 1000).toISOString() >= from);
}

function report({ results, ledger, pendingUnaccounted, billed, problems }: Audit): string {
  const { cost_nano_usd, ...counts } = ledger;
  const rows = [
    { what: "results", of: "final", count: results.final },
    { what: "", of: "running", count: results.running },
    { what: "", of: "waiting", count: results.waiting },
    { what: "", of: "deleted", count: results.deleted },
    { what: "ledger", of: "requests", count: counts.requests },
    { what: "", of: "prompt tokens", count: counts.prompt_tokens },
    { what: "", of: "completion tokens", count: counts.completion_tokens },
    { what: "", of: "cost in $", count: formatUsd(cost_nano_usd) },
    { what: "", of: "estimated requests", count: counts.estimated_requests },
    { what: "", of: "unaccounted attempts", count: counts.unaccounted_attempts },
    { what: "", of: "unaccounted, not settled yet", count: pendingUnaccounted },
    ...(billed
      ? [
          { what: "billed by OpenAI", of: "calls", count: billed.calls },
          { what: "", of: "on one result each", count: billed.onResults },
          { what: "", of: "unaccounted or running", count: billed.calls - billed.onResults },
        ]
      : [{ what: "billed by OpenAI", of: "not known here", count: "" }]),
  ];
  const verdict =
    problems.length === 0
      ? "Everything agrees."
      : `${problems.length} ${problems.length === 1 ? "thing does" : "things do"} not agree:`;
  const told = problems
    .slice(0, shownProblems)
    .map(({ check, subject, message }) => `  ${check}  ${subject}  ${message}`);
  const more =
    problems.length > shownProblems ? [`  … and ${problems.length - shownProblems} more: --json has all.`] : [];
  return [table(rows), "", verdict, ...told, ...more].join("\n");
}

run(usage, main);
