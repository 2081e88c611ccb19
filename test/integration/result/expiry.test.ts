import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import type { PerformDeps } from "@tollgate/core/completion/job";
import { begin, perform } from "@tollgate/core/completion/run";
import { claim, leaseMs } from "@tollgate/core/result/claim";
import { resultKey } from "@tollgate/core/result/item";
import { settleLate } from "@tollgate/core/result/settle-later";
import { listResults, readItem } from "@tollgate/core/result/store";
import { sweep } from "@tollgate/core/result/sweep";
import { describe, expect, it } from "vitest";
import { jobOf, startAccount } from "../budget/account.ts";
import { countersOf, problemsOf, withOutage } from "./ledger.ts";

const { deps: keeping, billedRequests } = await startAccount();
const days = 24 * 3600 * 1000;
const resultTtlDays = 30;
const today = new Date();

/** A stage on which results expire, with its clock at this time. */
const at = (now: Date): PerformDeps => ({
  ...keeping,
  store: { ...keeping.store, resultTtlDays },
  now: () => now,
});
const after = (ms: number): Date => new Date(today.getTime() + ms);
const deps = at(today);
const expired = at(after(resultTtlDays * days));

const jobFor = (owner: string, changes: Parameters<typeof jobOf>[2] = {}) => ({
  ...jobOf("unused", 0, changes),
  owner,
  key: null,
});
const expiryOf = async (id: string) => (await readItem(deps.store, id))?.expires_at;
const inDays = (ended: string | null | undefined, count: number) =>
  Math.floor(Date.parse(ended ?? "") / 1000) + (count * days) / 1000;
const list = async (at: PerformDeps, owner: string) =>
  (await listResults(at.store, { owner, limit: 10, now: at.now() })).results.map(({ id }) => id);

describe("a result", () => {
  it("is kept for ever unless a stage says otherwise", async () => {
    const { result } = await perform(keeping, jobFor("keeper"));
    expect(await expiryOf(result.id)).toBeNull();
  });

  it("expires so many days after it ended", async () => {
    const { result } = await perform(deps, jobFor("ended"));
    expect(await expiryOf(result.id)).toBe(inDays(result.completedAt, resultTtlDays));
  });

  it("that failed expires alike, and not while it is tried again", async () => {
    const job = jobFor("again", { requestHash: "same" });
    const failing = { ...deps, upstream: { ...deps.upstream, complete: () => Promise.reject(new Error("no")) } };
    await expect(perform(failing, job)).rejects.toThrow();
    expect(await expiryOf(job.id)).toBe(inDays(today.toISOString(), resultTtlDays));

    const attempt = await begin(deps, job);
    if ("replayed" in attempt) throw new Error("It was not tried again.");
    attempt.stopRenewing();
    expect(await expiryOf(job.id)).toBeUndefined();
  });

  it("that the sweep ended expires, and as it would have when its own settlement comes after all", async () => {
    const messages: string[] = [];
    const settlementQueue = { send: async (message: string) => void messages.push(message) };
    const job = jobFor("swept");
    const outage = withOutage(keeping, (name) => name === "TransactWriteCommand");
    const { result } = await perform({ ...outage, settlementQueue }, job);
    const swept = after(5 * leaseMs);
    await sweep({ store: deps.store, now: () => swept, graceMs: { http: 0, queue: 0 } });
    expect(await expiryOf(job.id)).toBe(inDays(swept.toISOString(), resultTtlDays));

    await settleLate(deps.store, messages[0] ?? "");
    expect(await expiryOf(job.id)).toBe(inDays(result.completedAt, resultTtlDays));
  });
});

describe("a result past its time that DynamoDB has not deleted yet", () => {
  it("is left out of lists", async () => {
    const { result } = await perform(deps, jobFor("listed"));
    expect(await list(at(after((resultTtlDays - 1) * days)), "listed")).toEqual([result.id]);
    expect(await list(expired, "listed")).toEqual([]);
  });

  it("is no answer to its Idempotency-Key any more: the next is a new request", async () => {
    const job = jobFor("asks", { requestHash: "same" });
    const first = await perform(deps, job);
    const before = await billedRequests();
    const replay = await perform(at(after((resultTtlDays - 1) * days)), job);
    expect([replay.replayed, replay.result.openai?.id]).toEqual([true, first.result.openai?.id]);
    expect(await billedRequests()).toBe(before);

    // Its id stood for another request, before.
    const anew = await perform(expired, { ...job, requestHash: "another" });
    expect(anew.replayed).toBe(false);
    expect(await billedRequests()).toBe(before + 1);
    expect((await readItem(deps.store, job.id))?.result.openai?.id).toBe(anew.result.openai?.id);
    expect(await list(expired, "asks")).toEqual([job.id]);
    expect(await countersOf(deps, "asks")).toMatchObject({ requests: 2 });
  });

  it("leaves its id to one attempt only", async () => {
    const job = jobFor("races", { requestHash: "same" });
    await perform(deps, job);
    const { result } = await perform(deps, jobFor("races"));
    const fresh = { ...result, id: job.id, status: "running" as const, completedAt: null };
    const nowMs = expired.now().getTime();
    const claims = await Promise.all(
      [1, 2, 3].map(() => claim(deps.store, { result: fresh, requestHash: "same", nowMs })),
    );
    expect(claims.map(({ outcome }) => outcome).sort()).toEqual(["claimed", "in_progress", "in_progress"]);
  });
});

describe("the books, when results have been deleted", () => {
  const deleted = async (id: string) =>
    deps.store.dynamodb.send(new DeleteCommand({ TableName: deps.store.tableName, Key: resultKey(id) }));

  it("agree from the first day that still has all of its results", async () => {
    const old = at(after(-40 * days));
    const { result } = await perform(old, jobFor("audited"));
    await perform(deps, jobFor("audited"));
    const yesterday = after(-days).toISOString().slice(0, 10);
    const problems = async (from?: string) =>
      (await problemsOf(deps, from)).filter(({ subject }) => subject.startsWith("audited"));
    expect(await problems()).toEqual([]);

    await deleted(result.id);
    expect((await problems()).map(({ message }) => message)).toContain(
      "requests: the counters say 1 more than the results.",
    );
    expect(await problems(yesterday)).toEqual([]);
    expect(await countersOf(deps, "audited")).toMatchObject({ requests: 2 });
  });
});
