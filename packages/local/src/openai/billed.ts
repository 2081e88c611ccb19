import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { CompletionUsage } from "./usage.ts";

/** One answer that was billed, whether or not the client ever received it. */
export interface BilledEntry {
  /** The `chatcmpl-…` id. */
  id: string;
  request_id: string;
  model: string;
  usage: CompletionUsage;
  service_tier: string;
  /** Unix seconds. */
  created: number;
  /** Whether the whole response was handed to the connection, with its usage where the client asked for it. */
  delivered: boolean;
  /** The key's last four characters. */
  key_hint: string;
}

/** What the file holds, one JSON a line, only ever appended to. */
type Line = { billed: BilledEntry } | { delivered: string } | { reset: true };

export interface BillingLedger {
  bill(entry: BilledEntry): void;
  deliver(id: string): void;
  reset(): void;
  /** `{data, totals}` as `GET /_control/billed` answers it, oldest first. */
  report(): { data: BilledEntry[]; totals: Record<string, number> };
}

/** @param dataDir Where the ledger is kept (`billed.jsonl`); without it, in memory only. */
export function createBillingLedger(dataDir?: string): BillingLedger {
  const entries = new Map<string, BilledEntry>();
  const path = dataDir === undefined ? null : join(dataDir, "billed.jsonl");
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
  if (path && existsSync(path)) for (const line of linesOf(path)) apply(entries, line);

  function record(line: Line): void {
    apply(entries, line);
    if (path) appendFileSync(path, `${JSON.stringify(line)}\n`);
  }
  return {
    bill: (entry) => record({ billed: entry }),
    // An answer that was reset meanwhile has no entry any more.
    deliver: (id) => entries.has(id) && record({ delivered: id }),
    reset: () => record({ reset: true }),
    report: () => ({ data: [...entries.values()], totals: totalsOf([...entries.values()]) }),
  };
}

function apply(entries: Map<string, BilledEntry>, line: Line): void {
  if ("reset" in line) entries.clear();
  else if ("billed" in line) entries.set(line.billed.id, { ...line.billed });
  else {
    const entry = entries.get(line.delivered);
    if (entry) entry.delivered = true;
  }
}

/** A process killed while it wrote leaves a line without its newline: it is cut off, so that the next does not join it. */
function linesOf(path: string): Line[] {
  const bytes = readFileSync(path);
  const wholeBytes = bytes.lastIndexOf("\n") + 1;
  if (wholeBytes < bytes.length) truncateSync(path, wholeBytes);
  const lines = bytes.subarray(0, wholeBytes).toString("utf8").split("\n");
  return lines.flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Line]));
}

function totalsOf(entries: BilledEntry[]): Record<string, number> {
  const sum = (of: (entry: BilledEntry) => number) => entries.reduce((total, entry) => total + of(entry), 0);
  return {
    requests: entries.length,
    delivered: entries.filter(({ delivered }) => delivered).length,
    prompt_tokens: sum(({ usage }) => usage.prompt_tokens),
    completion_tokens: sum(({ usage }) => usage.completion_tokens),
    total_tokens: sum(({ usage }) => usage.total_tokens),
    cached_tokens: sum(({ usage }) => usage.prompt_tokens_details.cached_tokens),
    reasoning_tokens: sum(({ usage }) => usage.completion_tokens_details.reasoning_tokens),
  };
}
