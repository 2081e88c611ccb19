import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { awsClients } from "../e2e/client.ts";
import { runOnce } from "./harness/run.ts";

test("after faults everywhere and a restart nothing is lost, nothing is double and the books agree", async () => {
  const day = new Date().toISOString().slice(0, 10);
  const { faults, verdict, secondVerdict } = await runOnce({
    seed: 7,
    seconds: 10,
    progress: () => {},
    // A token too many on a counter, behind the ledger's back.
    meddle: async ({ info }) => {
      const { dynamodb } = awsClients(info);
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
  expect(verdict.lost).toEqual([]);
  expect(verdict.double).toEqual([]);
  expect(verdict.audit.problems).toEqual([]);
  // It was not for want of faults, nor of work.
  expect([...faults.values()].reduce((sum, n) => sum + n, 0)).toBeGreaterThan(20);
  expect(verdict.statuses.get("succeeded")).toBeGreaterThan(0);
  // Nor does it overlook what is wrong.
  expect(secondVerdict?.audit.problems).toEqual([
    {
      check: "counters",
      subject: `meddled ${day} gpt-4o-mini`,
      message: "prompt_tokens: the counters say 1 more than the results.",
    },
  ]);
}, 400_000);
