import { encodeCursor, resultsOptions, resultsQuery } from "@tollgate/core/result/query";
import { presentResult } from "@tollgate/core/result/result";
import { listResults } from "@tollgate/core/result/store";
import { usageReport } from "@tollgate/core/usage/ledger";
import { maxUsageDays, usageOptions, usageQuery } from "@tollgate/core/usage/query";
import { parseRequest } from "@tollgate/core/validation/request";
import type { Reads, startLedger } from "./ledger.ts";

type Ledger = Awaited<ReturnType<typeof startLedger>>;
export type Query = Record<string, string>;

/** An answer of the API: what it took, and what came of it. */
export interface Page extends Reads {
  ms: number;
  /** Results, or rows of usage. */
  rows: number;
  bytes: number;
}

/** Pages through all that `GET /results` answers to a query, as its handler makes each page. */
export async function* listPages(ledger: Ledger, owner: string, query: Query): AsyncGenerator<Page> {
  for (let cursor: string | null = null, first = true; first || cursor; first = false) {
    let next: string | null = null;
    yield await measure(ledger, async () => {
      const options = resultsOptions(parseRequest(resultsQuery, cursor ? { ...query, cursor } : query));
      const page = await listResults(ledger.store, { ...options, owner, now: new Date() });
      next = page.next && encodeCursor(page.next);
      return page.results.map(presentResult);
    });
    cursor = next;
  }
}

/** One answer of `GET /usage`. */
export const readUsage = (ledger: Ledger, owner: string, query: Query, now: Date): Promise<Page> =>
  measure(ledger, async () => {
    const options = usageOptions(parseRequest(usageQuery, query), [owner], now, maxUsageDays);
    return (await usageReport(ledger.store.dynamodb, ledger.store.tableName, options)).data;
  });

async function measure(ledger: Ledger, read: () => Promise<object[]>): Promise<Page> {
  ledger.takeReads();
  const startedMs = performance.now();
  const rows = await read();
  const text = JSON.stringify(rows);
  const ms = performance.now() - startedMs;
  return { ms, rows: rows.length, bytes: Buffer.byteLength(text), ...ledger.takeReads() };
}
