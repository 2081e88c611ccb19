import { audit } from "@tollgate/core/audit/audit";
import { readRecords } from "@tollgate/core/audit/read";
import type { PerformDeps } from "@tollgate/core/completion/job";
import { usageReport } from "@tollgate/core/usage/ledger";

const nothingIsLate = { graceMs: { http: 0, queue: 0 }, queueRetentionMs: 0 };

/** What does not agree in the table of these deps, a while after the last lease has ended. `from`: the first day that counts. */
export async function problemsOf({ store, now }: PerformDeps, from?: string) {
  const records = readRecords(store.dynamodb, store.tableName);
  const { problems } = await audit(records, { nowMs: now().getTime() + 60_000, from, ...nothingIsLate });
  return problems;
}

/** An owner's counters. */
export async function countersOf({ store }: PerformDeps, owner: string) {
  const range = { from: "2000-01-01", to: "2100-01-01", groupBy: [] };
  const { total } = await usageReport(store.dynamodb, store.tableName, { owners: [owner], ...range });
  return total;
}

/** The same deps, on a table that refuses the first `times` of the calls of this kind, as it does in an outage. */
export function withOutage(
  deps: PerformDeps,
  isHit: (commandName: string) => boolean,
  times = Number.POSITIVE_INFINITY,
) {
  let left = times;
  const send = (command: object) => {
    if (left <= 0 || !isHit(command.constructor.name)) return deps.store.dynamodb.send(command as never);
    left -= 1;
    return Promise.reject(new Error("DynamoDB is down."));
  };
  const dynamodb = { send } as unknown as PerformDeps["store"]["dynamodb"];
  return { ...deps, store: { ...deps.store, dynamodb } };
}
