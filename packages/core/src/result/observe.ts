import type { LedgerEntry } from "../usage/ledger.ts";
import type { StoredResult } from "./result.ts";

type Ended = StoredResult;

/**
 * Hears what became of results, as it happens: for logs and metrics. They stand beside the ledger and are not one: a process
 * that dies after a write has told nobody, and nor has one whose write took effect although its answer was lost.
 */
export interface Observe {
  /** The owner's counters have these on them now, or less of them where a count is negative. */
  counted(result: Ended, entries: LedgerEntry[]): void;
  /** The table did not take a settlement: it waits in a queue. */
  handedOver(result: Ended): void;
  /** Nor did the queue: what came of the attempt is lost, and the sweep will count it as unaccounted. */
  notKept(result: Ended, error: unknown): void;
  /** The sweep could not end this result, and will try again. */
  notSwept(resultId: string, error: unknown): void;
}
