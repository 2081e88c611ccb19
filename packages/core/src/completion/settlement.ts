import type { Lease } from "../result/claim.ts";
import { type Settlement, settle } from "../result/settle.ts";
import { messageOf, type SettlementQueue } from "../result/settle-later.ts";
import type { ResultStore } from "../result/store.ts";

interface SettleDeps {
  store: ResultStore;
  settlementQueue: SettlementQueue;
  now: () => Date;
}

/** A queue keeps what was paid for long enough; the caller waits for this first. */
const patienceMs = 3_000;
const firstWaitMs = 100;

/**
 * Settles an attempt, or leaves that to a queue when the table cannot be written for some seconds. Returns false when the
 * lease was lost. Throws when there is neither table nor queue.
 */
export async function settleOrEnqueue(deps: SettleDeps, lease: Lease, settlement: Settlement): Promise<boolean> {
  const startedMs = deps.now().getTime();
  for (let waitMs = firstWaitMs; ; waitMs *= 2) {
    try {
      return await settle(deps.store, lease, settlement);
    } catch {
      if (deps.now().getTime() - startedMs + waitMs > patienceMs) break;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
  const { observe } = deps.store;
  const { answer: _, ...result } = settlement.result;
  try {
    await deps.settlementQueue.send(await messageOf(deps.store, lease, settlement));
  } catch (error) {
    observe?.notKept(result, error);
    throw error;
  }
  observe?.handedOver(result);
  return true;
}
