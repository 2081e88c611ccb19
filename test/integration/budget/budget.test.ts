import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { maxCostOf } from "../../../packages/core/src/budget/estimate.ts";
import type { Attempt } from "../../../packages/core/src/completion/job.ts";
import { begin, finish, perform } from "../../../packages/core/src/completion/run.ts";
import { AppError } from "../../../packages/core/src/error.ts";
import { leaseMs } from "../../../packages/core/src/result/claim.ts";
import { readItem } from "../../../packages/core/src/result/store.ts";
import { priceOf } from "../../../packages/core/src/usage/price.ts";
import { jobOf, preparedBy, startAccount } from "./account.ts";

const { deps, budget, billedRequests } = await startAccount();

/** What each job of `jobOf` reserves. */
async function reservedByEach(): Promise<number> {
  const { params } = await preparedBy(jobOf("key_any", 0));
  const rates = priceOf(params.model, new Date());
  return (rates && maxCostOf(params, rates)) ?? Number.NaN;
}

describe("a retry that is refused", () => {
  it("keeps what the attempt before it has put on the counters", async () => {
    const each = await reservedByEach();
    const content = `[[fault:reset_after_billing]] ${randomUUID()}`;
    const job = jobOf("key_again", 1.5 * each, { requestHash: "same" });
    const { params, format } = await preparedBy(job);
    const failing = {
      ...job,
      prepare: () => ({ params: { ...params, messages: [{ role: "user" as const, content }] }, format }),
    };
    await expect(perform(deps, failing)).rejects.toMatchObject({ code: "upstream_error" });
    const counted = (await readItem(deps.store, job.id))?.ledger;
    expect(counted).toMatchObject([{ counts: { requests: 1, unaccounted_attempts: 1 } }]);

    await expect(perform(deps, failing)).rejects.toMatchObject({ code: "budget_exceeded", resultId: job.id });
    const item = await readItem(deps.store, job.id);
    expect(item?.result).toMatchObject({ status: "failed", error: { code: "budget_exceeded" } });
    expect(item?.ledger).toMatchObject([{ counts: { requests: 2, failed: 2, unaccounted_attempts: 1 } }]);
  });
});

describe("a budget that many reach for at once", () => {
  it("lets 10 of 100 through when 10 fit, and has the others wait for what those reserved", async () => {
    const each = await reservedByEach();
    const before = await billedRequests();
    const begun = await Promise.all(
      Array.from({ length: 100 }, () =>
        begin(deps, jobOf("key_ten", 10 * each)).catch((error: unknown) =>
          error instanceof AppError ? error.code : error,
        ),
      ),
    );
    const attempts = begun.filter((outcome) => typeof outcome === "object" && outcome !== null) as Attempt[];
    expect(attempts).toHaveLength(10);
    expect(begun.filter((outcome) => outcome === "rate_limited")).toHaveLength(90);
    expect(await budget("key_ten")).toEqual({ committed_nano_usd: 10 * each, spent_nano_usd: 0 });

    const results = await Promise.all(
      attempts.map(async (attempt) =>
        finish(deps, attempt, await deps.upstream.complete(attempt.params, attempt.upstreamDeadlineMs)),
      ),
    );
    expect((await billedRequests()) - before).toBe(10);
    const spent = results.reduce((sum, { result }) => sum + (result.costNanoUsd ?? Number.NaN), 0);
    expect(await budget("key_ten")).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });
  });

  it("keeps what a dead attempt reserved as spent, when the next one takes over", async () => {
    const each = await reservedByEach();
    const job = jobOf("key_dead", 10 * each, { requestHash: "same" });
    const dead = await begin(deps, job);
    if ("replayed" in dead) throw new Error("The result was there already.");
    dead.stopRenewing();
    expect(await budget("key_dead")).toEqual({ committed_nano_usd: each, spent_nano_usd: 0 });

    const later = { ...deps, now: () => new Date(Date.now() + leaseMs + 1_000) };
    const { result } = await perform(later, job);
    const spent = each + (result.costNanoUsd ?? Number.NaN);
    expect(await budget("key_dead")).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });

    // The dead one was only slow: its lease is lost, so that neither its result nor its charge counts.
    const late = await deps.upstream.complete(dead.params, dead.upstreamDeadlineMs);
    expect((await finish(deps, dead, late)).result.id).toBe(result.id);
    expect(await budget("key_dead")).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });
  });

  it("gets a reservation back when the queue will bring the work again", async () => {
    const each = await reservedByEach();
    const params = { model: "gpt-4o-mini", messages: [{ role: "user" as const, content: "[[fault:500]]" }] };
    const job = jobOf("key_queue", 100 * each, {
      source: "s3",
      onFailure: "give_back",
      prepare: () => ({ params, format: { type: "text" } }),
    });
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(perform(deps, job)).rejects.toMatchObject({ code: "upstream_error" });
      expect(await budget("key_queue")).toEqual({ committed_nano_usd: 0, spent_nano_usd: 0 });
    }
  });

  it("is charged to the month of the reservation, also when the answer comes in the next", async () => {
    const each = await reservedByEach();
    const attempt = await begin(deps, jobOf("key_month", 10 * each));
    if ("replayed" in attempt) throw new Error("The result was there already.");
    const nextMonth = { ...deps, now: () => new Date(Date.now() + 32 * 24 * 3600_000) };
    const completion = await deps.upstream.complete(attempt.params, attempt.upstreamDeadlineMs);
    const { result } = await finish(nextMonth, attempt, completion);
    expect(await budget("key_month")).toEqual({
      committed_nano_usd: result.costNanoUsd,
      spent_nano_usd: result.costNanoUsd,
    });
  });
});
