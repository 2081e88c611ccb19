import type { PerformDeps } from "@tollgate/core/completion/job";
import { perform } from "@tollgate/core/completion/run";
import { leaseMs } from "@tollgate/core/result/claim";
import { settleLate } from "@tollgate/core/result/settle-later";
import { sweep } from "@tollgate/core/result/sweep";
import { type Counter, counterNames, type LedgerEntry } from "@tollgate/core/usage/ledger";
import { describe, expect, it } from "vitest";
import { jobOf, startAccount } from "../budget/account.ts";
import { countersOf, withOutage } from "./ledger.ts";

const { deps: unheard } = await startAccount();

/** Deps whose observer is written down. */
function observed(deps: PerformDeps = unheard) {
  const heard: string[] = [];
  const sums: { [name in Counter]?: number } = {};
  const counted = (_: unknown, entries: LedgerEntry[]) => {
    heard.push("counted");
    for (const { counts } of entries) {
      for (const name of counterNames) sums[name] = (sums[name] ?? 0) + (counts[name] ?? 0);
    }
  };
  const observe = {
    counted,
    handedOver: () => void heard.push("handed over"),
    notKept: () => void heard.push("not kept"),
    notSwept: (id: string) => void heard.push(`not swept: ${id}`),
  };
  return { deps: { ...deps, store: { ...deps.store, observe } }, heard, sums };
}

const jobFor = (owner: string, changes: Parameters<typeof jobOf>[2] = {}) => ({
  ...jobOf("unused", 0, changes),
  owner,
  key: null,
});
const noSettlements = (name: string) => name === "TransactWriteCommand";

/** What an owner has on the counters, in the ledger's own names. */
async function ledgerOf(owner: string) {
  const { cost_usd, ...counts } = await countersOf(unheard, owner);
  return { ...counts, cost_nano_usd: Math.round(Number(cost_usd) * 1e9) };
}

describe("the observer hears", () => {
  it("of an answer once, and not of its replay", async () => {
    const { deps, heard, sums } = observed();
    const job = jobFor("answered", { requestHash: "same" });
    for (let time = 0; time < 2; time++) await perform(deps, job);
    expect(heard).toEqual(["counted"]);
    expect(sums).toEqual(await ledgerOf("answered"));
  });

  it("of a settlement that has to wait, and of its tokens when it is made, however often its message comes", async () => {
    const messages: string[] = [];
    const { deps, heard, sums } = observed();
    const settlementQueue = { send: async (message: string) => void messages.push(message) };
    await perform({ ...withOutage(deps, noSettlements), settlementQueue }, jobFor("late"));
    expect(heard).toEqual(["handed over"]);
    for (let time = 0; time < 2; time++) await settleLate(deps.store, messages[0] ?? "");
    expect(heard).toEqual(["handed over", "counted"]);
    expect(sums).toEqual(await ledgerOf("late"));
  });

  it("what the sweep counts, and what a settlement that comes after all takes off again", async () => {
    const messages: string[] = [];
    const { deps, heard, sums } = observed();
    const settlementQueue = { send: async (message: string) => void messages.push(message) };
    await perform({ ...withOutage(deps, noSettlements), settlementQueue }, jobFor("slow"));
    const afterLease = () => new Date(Date.now() + 2 * leaseMs);
    await sweep({ store: deps.store, now: afterLease, graceMs: { http: 0, queue: 0 } });
    expect(sums).toEqual(await ledgerOf("slow"));
    await settleLate(deps.store, messages[0] ?? "");
    expect(heard).toEqual(["handed over", "counted", "counted"]);
    expect(sums).toEqual(await ledgerOf("slow"));
    expect(sums).toMatchObject({ requests: 1, failed: 0, unaccounted_attempts: 0 });
  });

  it("of an answer that neither table nor queue would keep", async () => {
    const { deps, heard } = observed();
    const { result } = await perform(withOutage(deps, noSettlements), jobFor("lost"));
    expect(result.status).toBe("succeeded");
    expect(heard).toEqual(["not kept"]);
  });
});
