import { begin, finish, perform } from "@tollgate/core/completion/run";
import { leaseMs } from "@tollgate/core/result/claim";
import { settleLate } from "@tollgate/core/result/settle-later";
import { readResult } from "@tollgate/core/result/store";
import { sweep } from "@tollgate/core/result/sweep";
import { describe, expect, it } from "vitest";
import { jobOf, startAccount } from "../budget/account.ts";
import { countersOf, problemsOf, withOutage } from "./ledger.ts";

const { deps, budget, billedRequests } = await startAccount();
const isTransaction = (name: string) => name === "TransactWriteCommand";
const graceMs = { http: 0, queue: 0 };
const afterLease = () => new Date(Date.now() + leaseMs + 1_000);

/** Performs a job on a table that takes no settlement, and returns what went to the queue. */
async function handedOver(owner: string, changes: Partial<Parameters<typeof jobOf>[2]> = {}) {
  const messages: string[] = [];
  const settlementQueue = { send: async (message: string) => void messages.push(message) };
  const job = { ...jobOf("unused", 0, changes), owner, key: null };
  const performed = await perform({ ...withOutage(deps, isTransaction), settlementQueue }, job);
  const [message] = messages;
  if (message === undefined || messages.length > 1) throw new Error(`${messages.length} messages were sent.`);
  return { job, performed, message };
}

describe("when the table cannot be written after OpenAI answered", () => {
  it("gives the caller the answer, and the queue the settlement, which ends as it would have", async () => {
    const { job, performed, message } = await handedOver("late");
    expect(performed.result).toMatchObject({ status: "succeeded", usage: expect.anything() });
    expect((await readResult(deps.store, job.id))?.status).toBe("running");

    expect(await settleLate(deps.store, message)).toEqual({ owner: "late", resultId: job.id, settled: true });
    expect(await readResult(deps.store, job.id)).toEqual(performed.result);
    expect(await countersOf(deps, "late")).toMatchObject({ requests: 1, failed: 0, unaccounted_attempts: 0 });
    expect(await problemsOf(deps)).toEqual([]);
  });

  it("counts a settlement once, however often its message arrives", async () => {
    const { message } = await handedOver("thrice");
    for (let time = 0; time < 3; time++) expect((await settleLate(deps.store, message)).settled).toBe(true);
    expect(await countersOf(deps, "thrice")).toMatchObject({ requests: 1 });
    expect(await problemsOf(deps)).toEqual([]);
  });

  it("settles a result that the sweep has given up meanwhile, and takes back what the sweep counted", async () => {
    const { job, performed, message } = await handedOver("swept");
    expect(await sweep({ store: deps.store, now: afterLease, graceMs })).toEqual([job.id]);
    expect(await countersOf(deps, "swept")).toMatchObject({ failed: 1, unaccounted_attempts: 1, total_tokens: 0 });

    expect((await settleLate(deps.store, message)).settled).toBe(true);
    expect(await readResult(deps.store, job.id)).toEqual(performed.result);
    const { usage } = performed.result;
    expect(await countersOf(deps, "swept")).toMatchObject({
      requests: 1,
      failed: 0,
      unaccounted_attempts: 0,
      total_tokens: usage?.totalTokens,
    });
    expect(await problemsOf(deps)).toEqual([]);
  });

  it("leaves a result alone that another attempt has taken over", async () => {
    const { job, message } = await handedOver("taken", { requestHash: "same" });
    const { result } = await perform({ ...deps, now: afterLease }, job);
    expect((await settleLate(deps.store, message)).settled).toBe(false);
    expect(await readResult(deps.store, job.id)).toEqual(result);
    expect(await countersOf(deps, "taken")).toMatchObject({ requests: 1, unaccounted_attempts: 1 });
    expect(await problemsOf(deps)).toEqual([]);
  });

  it("tells a failure all the same", async () => {
    const messages: string[] = [];
    const settlementQueue = { send: async (message: string) => void messages.push(message) };
    const params = {
      model: "gpt-4o-mini",
      messages: [{ role: "user" as const, content: "[[fault:reset_after_billing]]" }],
    };
    const job = { ...jobOf("unused", 0), owner: "failed", key: null };
    const failing = { ...job, prepare: () => ({ params, format: { type: "text" as const } }) };
    await expect(perform({ ...withOutage(deps, isTransaction), settlementQueue }, failing)).rejects.toMatchObject({
      code: "upstream_error",
    });
    await settleLate(deps.store, messages[0] ?? "");
    expect(await readResult(deps.store, job.id)).toMatchObject({ status: "failed", error: { code: "upstream_error" } });
    expect(await countersOf(deps, "failed")).toMatchObject({ requests: 1, failed: 1, unaccounted_attempts: 1 });
  });

  it("keeps an answer in S3 that no message can hold", async () => {
    const kept = new Map<string, string>();
    const answers = {
      put: async (key: string, text: string) => void kept.set(key, text),
      get: async (key: string) => kept.get(key) ?? "",
      remove: async () => {},
    };
    const large = { ...deps, store: { ...deps.store, answers } };
    const attempt = await begin(large, { ...jobOf("unused", 0), owner: "large", key: null });
    if ("replayed" in attempt) throw new Error("The result was there already.");
    const completion = await deps.upstream.complete(attempt.params, attempt.upstreamDeadlineMs);
    const messages: string[] = [];
    const settlementQueue = { send: async (message: string) => void messages.push(message) };
    const text = JSON.stringify({ ...(completion.body as object), padding: "x".repeat(1_000_000) });
    await finish({ ...withOutage(large, isTransaction), settlementQueue }, attempt, { ...completion, text });
    expect(messages[0]?.length).toBeLessThan(10_000);
    expect((await settleLate(large.store, messages[0] ?? "")).settled).toBe(true);
    expect((await readResult(large.store, attempt.lease.result.id))?.answer).toBe(text);
  });
});

describe("when neither the table nor the queue takes the settlement", () => {
  const nowhere = {
    ...withOutage(deps, isTransaction),
    settlementQueue: { send: () => Promise.reject(new Error("SQS is down.")) },
  };

  it("gives an HTTP caller the answer, and the sweep counts the attempt as unaccounted", async () => {
    const before = await billedRequests();
    const job = { ...jobOf("unused", 0), owner: "nowhere", key: null };
    expect((await perform(nowhere, job)).result.status).toBe("succeeded");
    expect((await billedRequests()) - before).toBe(1);
    await sweep({ store: deps.store, now: afterLease, graceMs });
    expect(await readResult(deps.store, job.id)).toMatchObject({ status: "failed", error: { code: "internal" } });
    expect(await countersOf(deps, "nowhere")).toMatchObject({ requests: 1, unaccounted_attempts: 1 });
  });

  it("brings work back that came from a queue", async () => {
    const job = { ...jobOf("unused", 0, { source: "s3", onFailure: "give_back" }), owner: "returns", key: null };
    await expect(perform(nowhere, job)).rejects.toThrow("SQS is down.");
    expect((await perform({ ...deps, now: afterLease }, job)).result.status).toBe("succeeded");
    expect(await countersOf(deps, "returns")).toMatchObject({ requests: 1, unaccounted_attempts: 1 });
  });
});

describe("a table that refuses the first writes only", () => {
  it("is waited for: nothing goes to the queue", async () => {
    const job = { ...jobOf("unused", 0), owner: "patient", key: null };
    const { result } = await perform(withOutage(deps, isTransaction, 2), job);
    expect(await readResult(deps.store, job.id)).toEqual(result);
    expect(await problemsOf(deps)).toEqual([]);
  });
});

describe("a reservation whose answer was lost", () => {
  it("ends with the attempt", async () => {
    let lost = false;
    const send = async (command: object) => {
      const answer = await deps.store.dynamodb.send(command as never);
      if (lost || !isTransaction(command.constructor.name)) return answer;
      lost = true;
      throw new Error("The connection was reset.");
    };
    const dynamodb = { send } as unknown as typeof deps.store.dynamodb;
    const job = jobOf("key_lost", 1_000_000_000);
    await expect(perform({ ...deps, store: { ...deps.store, dynamodb } }, job)).rejects.toMatchObject({
      code: "internal",
    });
    expect(await budget("key_lost")).toEqual({ committed_nano_usd: 0, spent_nano_usd: 0 });
    expect(await problemsOf(deps)).toEqual([]);
  });
});
