import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { awsClients } from "../e2e/client.ts";
import { runOnce } from "./harness/run.ts";

const patienceMs = 400_000;

test(
  "after faults everywhere and a restart nothing is lost, nothing is double and the books agree",
  async () => {
    const run = await runOnce({ seed: 7, seconds: 10, progress: () => {} });
    expect(run.verdict.lost).toEqual([]);
    expect(run.verdict.double).toEqual([]);
    expect(run.verdict.audit.problems).toEqual([]);
    // It was not for want of faults.
    expect([...run.faults.values()].reduce((sum, n) => sum + n, 0)).toBeGreaterThan(20);
    expect(run.verdict.statuses.get("succeeded")).toBeGreaterThan(0);
  },
  patienceMs,
);

test(
  "a result that changed behind the ledger's back is found",
  async () => {
    const run = await runOnce({
      seed: 8,
      seconds: 2,
      progress: () => {},
      meddle: async ({ info }) => {
        const { dynamodb } = awsClients(info);
        const day = new Date().toISOString().slice(0, 10);
        await dynamodb.send(
          new UpdateCommand({
            TableName: info.table,
            Key: { pk: "usage#meddled", sk: `${day}#gpt-4o-mini#0` },
            UpdateExpression: "SET #day = :day, model = :model ADD prompt_tokens :one",
            ExpressionAttributeNames: { "#day": "day" },
            ExpressionAttributeValues: { ":day": day, ":model": "gpt-4o-mini", ":one": 1 },
          }),
        );
      },
    });
    expect(run.verdict.audit.problems).toEqual([
      {
        check: "counters",
        subject: `meddled ${day()} gpt-4o-mini`,
        message: "prompt_tokens: the counters say 1 more than the results.",
      },
    ]);
  },
  patienceMs,
);

const day = () => new Date().toISOString().slice(0, 10);
