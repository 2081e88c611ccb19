import { type Audit, audit, type BilledCall } from "@tollgate/core/audit/audit";
import { readRecords } from "@tollgate/core/audit/read";
import { awsClients, billed, type Result } from "../../e2e/client.ts";
import { graceMs } from "./limits.ts";
import type { HarnessStage } from "./stage.ts";
import type { Told } from "./workload.ts";

export interface Verdict {
  audit: Audit;
  /** Final results, by status. */
  statuses: Map<string, number>;
  /** Accepted, and without a final result. */
  lost: string[];
  /** Two results of one object, or two answers of one result. */
  double: string[];
}

/** Holds what clients were told against what is there now. For a stage at rest. */
export async function judge(stage: HarnessStage, told: readonly Told[]): Promise<Verdict> {
  const { dynamodb } = awsClients(stage.info);
  const calls: BilledCall[] = [...(await billed(stage.info)).values()];
  const nowMs = Date.now();
  const found = await audit(readRecords(dynamodb, stage.info.table), {
    nowMs,
    graceMs: { http: graceMs.http + 30_000, queue: graceMs.queue + 30_000 },
    // A request that was never answered 202 may wait for ever: whoever was told 202 is asked about below.
    queueRetentionMs: Number.POSITIVE_INFINITY,
    billed: calls,
  });
  const statuses = new Map<string, number>();
  const [lost, double]: string[][] = [[], []];
  for (const one of told) {
    const results = await everyResult(one);
    for (const { status } of results.values()) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    lost?.push(...lostOf(one, results));
    double?.push(...doubleOf(one, results));
  }
  return { audit: found, statuses, lost: lost ?? [], double: double ?? [] };
}

const isFinal = (result: Result | undefined): boolean =>
  result !== undefined && result.status !== "running" && result.status !== "awaiting_upload";

function lostOf({ accepted, keys, answers, deleted }: Told, results: Map<string, Result>): string[] {
  const ids = [...accepted, ...answers.map(({ id }) => id)].filter((id) => !deleted.has(id));
  const byKey = new Set([...results.values()].filter(isFinal).map(({ image }) => image?.key));
  return [...new Set(ids)].filter((id) => !isFinal(results.get(id))).concat(keys.filter((key) => !byKey.has(key)));
}

/** A client that was told an answer finds it again: a success is never changed. */
function doubleOf({ answers, keys, deleted }: Told, results: Map<string, Result>): string[] {
  const changed = answers.flatMap(({ id, status, content, openaiId }) => {
    const now = results.get(id);
    if (deleted.has(id) || !now) return [];
    const same = now.status === status && now.content === content && (now.openai?.id ?? null) === openaiId;
    return same
      ? []
      : [`${id}: a client was told ${status} of ${openaiId}, and it says ${now.status} of ${now.openai?.id}`];
  });
  const twice = keys.filter((key) => [...results.values()].filter(({ image }) => image?.key === key).length > 1);
  return [...changed, ...twice.map((key) => `${key} has more than one result`)];
}

interface Page {
  data: Result[];
  next_cursor: string | null;
}

async function everyResult({ caller }: Told): Promise<Map<string, Result>> {
  const results = new Map<string, Result>();
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor && `&cursor=${cursor}`;
    const { body }: { body: Page } = await caller.send<Page>("GET", `/results?limit=100${query}`);
    for (const result of body.data) results.set(result.id, result);
    cursor = body.next_cursor;
  }
  return results;
}
