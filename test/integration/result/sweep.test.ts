import { begin, finish, perform } from "@tollgate/core/completion/run";
import { leaseMs } from "@tollgate/core/result/claim";
import { readItem, readResult } from "@tollgate/core/result/store";
import { sweep } from "@tollgate/core/result/sweep";
import { describe, expect, it } from "vitest";
import { jobOf, startAccount } from "../budget/account.ts";
import { countersOf, problemsOf, withOutage } from "./ledger.ts";

const { deps, budget } = await startAccount();
const { store } = deps;
const graceMs = { http: 60_000, queue: 3_600_000 };
/** The time that long after a lease that begins now has ended. */
const after = (ms: number) => () => new Date(Date.now() + leaseMs + ms);

/** An attempt whose function is killed while OpenAI thinks. */
async function killed(changes: Parameters<typeof jobOf>[2], keyId = "key_sweep") {
  const job = jobOf(keyId, 1_000_000_000, changes);
  const attempt = await begin(deps, job);
  if ("replayed" in attempt) throw new Error("The result was there already.");
  attempt.stopRenewing();
  return { job, attempt };
}

describe("the sweep", () => {
  it("leaves an attempt alone that lives, or whose client may still ask again", async () => {
    const { job, attempt } = await killed({ owner: "alive" });
    expect(await sweep({ store, now: after(graceMs.http - 5_000), graceMs })).toEqual([]);
    const completion = await deps.upstream.complete(attempt.params, attempt.upstreamDeadlineMs);
    const { result } = await finish(deps, attempt, completion);
    expect(await sweep({ store, now: after(graceMs.http + 5_000), graceMs })).toEqual([]);
    expect(await readResult(store, job.id)).toEqual(result);
  });

  it("ends what nobody asks for again: failed, unaccounted, and its reservation spent", async () => {
    const { job, attempt } = await killed({ owner: "dead", requestHash: "same" }, "key_dead");
    const reserved = attempt.lease.reservation?.nano_usd;
    expect(await sweep({ store, now: after(graceMs.http + 5_000), graceMs })).toEqual([job.id]);
    expect(await readResult(store, job.id)).toMatchObject({
      status: "failed",
      error: { code: "internal" },
      usage: null,
    });
    expect(await countersOf(deps, "dead")).toMatchObject({ requests: 1, failed: 1, unaccounted_attempts: 1 });
    expect(await budget("key_dead")).toEqual({ committed_nano_usd: reserved, spent_nano_usd: reserved });
    expect(await problemsOf(deps)).toEqual([]);

    // The next to ask begins anew, and the dead attempt stays counted once.
    const { result } = await perform(deps, job);
    expect(result.status).toBe("succeeded");
    expect(await countersOf(deps, "dead")).toMatchObject({ requests: 2, failed: 1, unaccounted_attempts: 1 });
    expect((await readItem(store, job.id))?.swept).toBeUndefined();
    expect(await problemsOf(deps)).toEqual([]);
  });

  it("leaves work to its queue for longer", async () => {
    const { job } = await killed({ owner: "queued", source: "s3", onFailure: "give_back" });
    expect(await sweep({ store, now: after(graceMs.http + 5_000), graceMs })).toEqual([]);
    expect(await sweep({ store, now: after(graceMs.queue + 5_000), graceMs })).toEqual([job.id]);
  });

  it("goes on with the others when one cannot be ended, tells which, and fails in the end", async () => {
    const jobs = [await killed({ owner: "stubborn" }), await killed({ owner: "stubborn" })].map(({ job }) => job.id);
    const heard: [string, unknown][] = [];
    const ignored = () => {};
    const notSwept = (...told: [string, unknown]) => void heard.push(told);
    const outage = withOutage(deps, (name) => name === "TransactWriteCommand", 1);
    const observe = { counted: ignored, handedOver: ignored, notKept: ignored, notSwept };
    const now = after(graceMs.http + 5_000);

    const sweeping = sweep({ store: { ...outage.store, observe }, now, graceMs });
    await expect(sweeping).rejects.toThrow("Results that could not be ended: 1.");
    const left = heard.map(([id]) => id);
    expect(heard).toEqual([[expect.toBeOneOf(jobs), new Error("DynamoDB is down.")]]);
    expect(await countersOf(deps, "stubborn")).toMatchObject({ requests: 1, failed: 1 });

    expect(await sweep({ store, now, graceMs })).toEqual(left);
    expect(await countersOf(deps, "stubborn")).toMatchObject({ requests: 2, failed: 2 });
    expect(await problemsOf(deps)).toEqual([]);
  });

  it("gives way to an attempt that was only slow, and takes back what it had counted", async () => {
    const { job, attempt } = await killed({ owner: "slow" }, "key_slow");
    await sweep({ store, now: after(graceMs.http + 5_000), graceMs });
    const completion = await deps.upstream.complete(attempt.params, attempt.upstreamDeadlineMs);
    const { result } = await finish(deps, attempt, completion);
    expect(await readResult(store, job.id)).toEqual(result);
    expect(await countersOf(deps, "slow")).toMatchObject({ requests: 1, failed: 0, unaccounted_attempts: 0 });
    expect(await budget("key_slow")).toEqual({
      committed_nano_usd: result.costNanoUsd,
      spent_nano_usd: result.costNanoUsd,
    });
    expect(await problemsOf(deps)).toEqual([]);
  });
});
