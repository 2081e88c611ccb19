import type { Usage } from "../openai/usage.ts";
import { noLease } from "../result/item.ts";
import { graceMsOf, type SweepDeps } from "../result/sweep.ts";
import { type Counter, counterNames, type LedgerEntry } from "../usage/ledger.ts";
import type { BookRecord } from "./read.ts";

type Item = Extract<BookRecord, { type: "result" }>["item"];

/** One call as the upstream billed it, in its own words. */
export interface BilledCall {
  id: string;
  usage: { prompt_tokens: number; completion_tokens: number };
}

export interface AuditOptions {
  nowMs: number;
  /** The first day (UTC) whose counters are held against the results: before it, results may have expired. */
  from?: string | undefined;
  /** How long after its lease ended an attempt may wait to be swept, the schedule's interval included. */
  graceMs: SweepDeps["graceMs"];
  /** The longest that a queue keeps a message. */
  queueRetentionMs: number;
  /** Every call that the upstream billed, where it tells. */
  billed?: readonly BilledCall[] | undefined;
}

/** What does not hold. `subject`: the result, the owner's counter or the budget that it is about. */
export interface Problem {
  check: "unreadable" | "counters" | "result" | "stuck" | "budget" | "billed";
  subject: string;
  message: string;
}

export interface Audit {
  results: { final: number; running: number; waiting: number; deleted: number };
  /** Sums over the results and the receipts of deleted ones. */
  ledger: Tally;
  /** Attempts that the next settlement of their result will count. */
  pendingUnaccounted: number;
  billed: { calls: number; onResults: number } | null;
  problems: Problem[];
}

/**
 * Holds the books against each other: what results say they have put on the counters, the counters, the budgets, and what
 * the upstream billed. All of it is exact: a token or a nano-dollar too many is a problem. Keeps sums, not results, so that
 * a table of any size can be audited; with `billed`, also what holds each call.
 */
export async function audit(records: AsyncIterable<BookRecord>, options: AuditOptions): Promise<Audit> {
  const results = { final: 0, running: 0, waiting: 0, deleted: 0 };
  const problems: Problem[] = [];
  const tallies = new Map<string, Tally>();
  const budgets = new Map<string, { open: number; reserved: number }>();
  const holders = new Map<string, Holder[]>();
  const ledger = tallyOf();
  let pendingUnaccounted = 0;

  const enterLedger = (owner: string, entries: LedgerEntry[]) => {
    for (const entry of entries) {
      add(ledger, entry, 1);
      if (entry.day >= (options.from ?? "")) add(at(tallies, groupOf(owner, entry), tallyOf), entry, 1);
    }
  };
  const enterHolder = (call: string | null | undefined, holder: Holder) => {
    if (call && options.billed) at(holders, call, () => [] as Holder[]).push(holder);
  };
  for await (const record of records) {
    if (record.type === "unreadable") {
      problems.push({ check: "unreadable", subject: record.key, message: "is an item that this version cannot read." });
    } else if (record.type === "counter") {
      const { owner, entry } = record;
      if (entry.day >= (options.from ?? "")) add(at(tallies, groupOf(owner, entry), tallyOf), entry, -1);
    } else if (record.type === "budget") {
      at(budgets, `${record.keyId} ${record.month}`, noBudget).open += record.committedNanoUsd - record.spentNanoUsd;
    } else if (record.type === "receipt") {
      results.deleted += 1;
      enterLedger(record.owner, record.ledger);
      enterHolder(record.openaiId, { id: record.id, usage: null });
    } else {
      const { result, reservation, pending_unaccounted } = record.item;
      results[stateOf(record.item)] += 1;
      pendingUnaccounted += pending_unaccounted;
      enterLedger(result.owner, record.item.ledger);
      enterHolder(result.openai?.id, { id: result.id, usage: result.usageEstimated ? null : result.usage });
      if (reservation) {
        at(budgets, `${reservation.key_id} ${reservation.month}`, noBudget).reserved += reservation.nano_usd;
      }
      problems.push(...checkResult(record.item), ...checkStuck(record.item, options));
    }
  }
  problems.push(...differences(tallies), ...checkBudgets(budgets));
  const mayBeBilled = ledger.unaccounted_attempts + pendingUnaccounted + results.running;
  const billed = options.billed ? checkBilled(options.billed, holders, mayBeBilled) : null;
  problems.push(...(billed?.problems ?? []));
  return {
    results,
    ledger,
    pendingUnaccounted,
    billed: billed && { calls: options.billed?.length ?? 0, onResults: billed.onResults },
    problems,
  };
}

type Tally = { [name in Counter]: number };
const tallyOf = (): Tally => Object.fromEntries(counterNames.map((name) => [name, 0])) as Tally;
const groupOf = (owner: string, { day, model }: LedgerEntry): string => `${owner} ${day} ${model}`;
const noBudget = () => ({ open: 0, reserved: 0 });

function at<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

function add(tally: Tally, { counts }: LedgerEntry, sign: 1 | -1): void {
  for (const name of counterNames) tally[name] += sign * (counts[name] ?? 0);
}

function stateOf({ result, lease_id }: Item): "final" | "running" | "waiting" {
  if (result.status === "awaiting_upload") return "waiting";
  if (result.status !== "running") return "final";
  return lease_id === noLease ? "waiting" : "running";
}

/** The counters are the sums of what the results say, for each owner, day and model. */
const differences = (tallies: Map<string, Tally>): Problem[] =>
  [...tallies]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([subject, tally]) =>
      counterNames
        .filter((name) => tally[name] !== 0)
        .map((name): Problem => {
          const [more, less] = tally[name] > 0 ? ["results", "counters"] : ["counters", "results"];
          return {
            check: "counters",
            subject,
            message: `${name}: the ${more} say ${Math.abs(tally[name])} more than the ${less}.`,
          };
        }),
    );

/** A result's usage is on the ledger once. */
function checkResult({ result, ledger }: Item): Problem[] {
  const own: Partial<Tally> = {
    prompt_tokens: result.usage?.promptTokens ?? 0,
    completion_tokens: result.usage?.completionTokens ?? 0,
    cost_nano_usd: result.costNanoUsd ?? 0,
  };
  const put = tallyOf();
  for (const entry of ledger) add(put, entry, 1);
  return counterNames
    .filter((name) => name in own && own[name] !== put[name])
    .map((name) => ({
      check: "result",
      subject: result.id,
      message: `${name}: it says ${own[name]}, and has put ${put[name]} on the ledger.`,
    }));
}

function checkStuck(item: Item, { nowMs, graceMs, queueRetentionMs }: AuditOptions): Problem[] {
  const { id, status, createdAt } = item.result;
  const stuck = (message: string): Problem[] => [{ check: "stuck", subject: id, message }];
  if (status !== "running") return [];
  if (item.lease_id === noLease) {
    const isLost = Date.parse(createdAt) + queueRetentionMs < nowMs;
    return isLost ? stuck(`waits since ${createdAt} for a message that no queue has any more.`) : [];
  }
  const endedMs = nowMs - item.lease_expires_at;
  if (endedMs <= graceMsOf(item, graceMs)) return [];
  return stuck(`is running, though its lease ended ${Math.round(endedMs / 1000)} s ago.`);
}

/** What is committed and not spent is what running attempts have reserved. */
const checkBudgets = (budgets: Map<string, { open: number; reserved: number }>): Problem[] =>
  [...budgets]
    .filter(([, { open, reserved }]) => open !== reserved)
    .map(([subject, { open, reserved }]) => ({
      check: "budget",
      subject,
      message: `${open} nano-dollars are kept back, and running results reserve ${reserved}.`,
    }));

/** What a billed call is found on. `usage` is null where it is not to be compared: an estimate, or a deleted result. */
interface Holder {
  id: string;
  usage: Usage | null;
}

/** Each billed call is on one result, with its tokens, or is one of the attempts that may have been billed unseen. */
function checkBilled(billed: readonly BilledCall[], holders: Map<string, Holder[]>, mayBeBilled: number) {
  const problems: Problem[] = [];
  let missing = 0;
  for (const { id, usage } of billed) {
    const [holder, ...others] = holders.get(id) ?? [];
    if (!holder) missing += 1;
    if (others.length > 0) {
      problems.push({ check: "billed", subject: id, message: `is on ${others.length + 1} results.` });
    }
    const told = holder?.usage;
    if (!told) continue;
    if (told.promptTokens === usage.prompt_tokens && told.completionTokens === usage.completion_tokens) continue;
    problems.push({
      check: "billed",
      subject: id,
      message: `${holder.id} says ${told.promptTokens} + ${told.completionTokens} tokens; ${usage.prompt_tokens} + ${usage.completion_tokens} were billed.`,
    });
  }
  if (missing > mayBeBilled) {
    const message = `${missing} are on no result, and only ${mayBeBilled} attempts are unaccounted or running.`;
    problems.push({ check: "billed", subject: "calls", message });
  }
  return { onResults: billed.length - missing, problems };
}
