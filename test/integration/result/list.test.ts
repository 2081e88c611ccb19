import { BatchWriteCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { newResult } from "@tollgate/core/completion/job";
import { newResultId, newUlid } from "@tollgate/core/result/id";
import { epochSeconds } from "@tollgate/core/result/item";
import { maxPageBytes, maxScannedPerPage } from "@tollgate/core/result/page";
import { listResults, putResult, type ResultStore, toAttributes } from "@tollgate/core/result/store";
import { beforeAll, describe, expect, it } from "vitest";
import { jobOf, startAccount } from "../budget/account.ts";

const { deps } = await startAccount();
const { store } = deps;
const owner = "lister";
const first = Date.parse("2026-11-01T00:00:00.000Z");
/** The oldest failed; between it and the newest there are more than are looked at for one page. */
const count = maxScannedPerPage + 200;
const ids: string[] = [];

beforeAll(async () => {
  const puts = Array.from({ length: count }, (_, n) => {
    const job = { ...jobOf("unused", 0), owner, key: null };
    ids.unshift(job.id);
    const status = n === 0 ? ("failed" as const) : ("succeeded" as const);
    const result = { ...newResult(job, new Date(first + n * 1000)), status };
    const lease = { lease_id: newUlid(), lease_expires_at: 0, request_hash: null, pending_unaccounted: 0 };
    return { PutRequest: { Item: toAttributes({ result, revision: newUlid(), ...lease, ledger: [] }) } };
  });
  for (let start = 0; start < count; start += 25)
    await store.dynamodb.send(
      new BatchWriteCommand({ RequestItems: { [store.tableName]: puts.slice(start, start + 25) } }),
    );
});

/** The same store, and what its queries have read. */
function watched() {
  const reads = { queries: 0, entries: 0 };
  const send = async (command: object) => {
    const answer = await store.dynamodb.send(command as never);
    if (command instanceof QueryCommand) {
      reads.queries += 1;
      reads.entries += (answer as { ScannedCount?: number }).ScannedCount ?? 0;
    }
    return answer;
  };
  return { store: { ...store, dynamodb: { send } } as unknown as ResultStore, reads };
}

describe("a page of results", () => {
  it("reads as many as it has, wherever it begins", async () => {
    const pages: string[][] = [];
    for (let after: Awaited<ReturnType<typeof listResults>>["next"] | undefined; after !== null; ) {
      const { store, reads } = watched();
      const page = await listResults(store, { owner, limit: 100, now: new Date(), after });
      expect(reads).toEqual({ queries: 1, entries: page.results.length });
      pages.push(page.results.map(({ id }) => id));
      after = page.next;
    }
    expect(pages.flat()).toEqual(ids);
  });

  it.each([1, 20, 100])(
    "of at most %i with a filter that matches none looks at a thousand and no more",
    async (limit) => {
      const { store, reads } = watched();
      const page = await listResults(store, { owner, status: "failed", limit, now: new Date() });
      expect(page.results).toEqual([]);
      expect(page.next?.id).toBe(ids[maxScannedPerPage - 1]);
      expect(reads.entries).toBe(maxScannedPerPage);
      // 4 + 4 + 8 + … + 512, and what is left of the thousand.
      expect(reads.queries).toBeLessThanOrEqual(9);
    },
  );

  it("with such a filter is followed by those that have what matches", async () => {
    const found: string[] = [];
    let pages = 0;
    for (let after: Awaited<ReturnType<typeof listResults>>["next"] | undefined; after !== null; pages++) {
      const page = await listResults(store, { owner, status: "failed", limit: 20, now: new Date(), after });
      found.push(...page.results.map(({ id }) => id));
      after = page.next;
    }
    expect([pages, found]).toEqual([2, [ids.at(-1)]]);
  });

  it("has no more than its limit when many match, and none is lost between two pages", async () => {
    const found: string[] = [];
    for (let after: Awaited<ReturnType<typeof listResults>>["next"] | undefined; after !== null; ) {
      const page = await listResults(store, { owner, status: "succeeded", limit: 70, now: new Date(), after });
      expect(page.results.length).toBeLessThanOrEqual(70);
      found.push(...page.results.map(({ id }) => id));
      after = page.next;
    }
    expect(found).toEqual(ids.slice(0, -1));
  });

  it("reads no more large answers than it has room for, and one at least", async () => {
    const job = { ...jobOf("unused", 0), owner: "large", key: null };
    const lease = { lease_id: newUlid(), lease_expires_at: 0, request_hash: null, pending_unaccounted: 0 };
    for (let n = 0; n < 5; n++) {
      const result = { ...newResult({ ...job, id: newResultId() }, new Date(first + n)), status: "succeeded" as const };
      const item = { result, revision: newUlid(), ...lease, ledger: [], answer_key: `${n}` };
      await putResult(store, item, epochSeconds(new Date(Date.now() + 60_000)));
    }
    const pages: string[][] = [];
    for (let after: Awaited<ReturnType<typeof listResults>>["next"] | undefined; after !== null; ) {
      const read: string[] = [];
      const get = async (key: string) => {
        read.push(key);
        return "x".repeat(key === "3" ? 2 * maxPageBytes : maxPageBytes / 2);
      };
      const large = { ...store, answers: { ...store.answers, get } };
      const page = await listResults(large, { owner: "large", limit: 100, now: new Date(), after });
      expect(page.results).toHaveLength(read.length);
      pages.push(read);
      after = page.next;
    }
    expect(pages).toEqual([["4", "3"], ["2", "1"], ["0"]]);
  });
});
