import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { createUpstream } from "@tollgate/core/openai/client";
import { afterAll } from "vitest";
import { readBudget } from "../../../packages/core/src/budget/budget.ts";
import { monthOf } from "../../../packages/core/src/budget/month.ts";
import type { Job, PerformDeps, Prepared } from "../../../packages/core/src/completion/job.ts";
import { unlimited } from "../../../packages/core/src/key/limits.ts";
import { newResultId } from "../../../packages/core/src/result/id.ts";
import { startDynamoDB } from "../../../packages/local/src/aws/dynamodb.ts";
import { readManifest, type TableSpec } from "../../../packages/local/src/manifest.ts";
import { account, credentialsOf, developer, principalsOf, region } from "../aws/fixtures.ts";
import { simulate } from "../openai/simulation.ts";

const { Ledger: table } = readManifest(join(import.meta.dirname, "../../..")).tables as Record<"Ledger", TableSpec>;

/** The domain without Lambda, on DynamoDB's own engine and the simulated OpenAI: as much at once as a test likes. */
export async function startAccount() {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-budget-"));
  const engine = await startDynamoDB({ dir, principals: principalsOf(), tables: [table], region, account });
  const credentials = credentialsOf(developer);
  const client = new DynamoDBClient({ endpoint: engine.endpoint, region, credentials });
  afterAll(async () => {
    client.destroy();
    await engine.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  const openai = await simulate();
  const dynamodb = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  const store = { dynamodb, tableName: table.name };
  const noAnswers = () => Promise.reject(new Error("No answer here is too large for the table."));
  const deps: PerformDeps = {
    store: { ...store, answers: { put: noAnswers, get: noAnswers, remove: noAnswers } },
    upstream: createUpstream({
      apiKey: openai.apiKey,
      baseUrl: `${openai.url}/v1`,
      attemptTimeoutMs: 30_000,
      budgetMs: 30_000,
      maxAttempts: 1,
    }),
    prices: new Map(),
    settlementQueue: { send: () => Promise.reject(new Error("The table takes every settlement here.")) },
    now: () => new Date(),
  };
  return {
    deps,
    budget: (keyId: string) => readBudget(store, keyId, monthOf(new Date())),
    async billedRequests(): Promise<number> {
      const { body } = await openai.control("GET", "billed");
      return (body as { totals: { requests: number } }).totals.requests;
    },
  };
}

export async function preparedBy(job: Job): Promise<Prepared> {
  const prepared = await job.prepare({} as never);
  if ("replayed" in prepared) throw new Error(`${prepared.replayed.result.id} was made before.`);
  return prepared;
}

/** A chat of a key with this budget. Every such job reserves the same. */
export function jobOf(keyId: string, budgetNanoUsd: number, changes: Partial<Job> = {}): Job {
  const model = "gpt-4o-mini";
  return {
    id: newResultId(),
    kind: "chat",
    source: "http",
    owner: "acme",
    key: { ...unlimited, keyId, budgetNanoUsd },
    model,
    schema: null,
    metadata: {},
    image: null,
    requestHash: null,
    prepare: () => ({
      params: { model, max_tokens: 100, messages: [{ role: "user", content: "Hello" }] },
      format: { type: "text" },
    }),
    deadlineMs: Date.now() + 60_000,
    onFailure: "fail",
    ...changes,
  };
}
