import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { ResultStore } from "@tollgate/core/result/store";
import { startEngine } from "@tollgate/local/aws/dynamodb/engine";
import { provisionTables } from "@tollgate/local/aws/dynamodb/tables";
import { readManifest, type TableSpec } from "@tollgate/local/manifest";
import * as z from "zod";

/** What DynamoDB did between two looks. */
export interface Reads {
  calls: number;
  /** Of 4 KB, or 8 KB where the read is not strongly consistent. */
  units: number;
}

const units = z.object({ CapacityUnits: z.number() });
const consumed = z.object({ ConsumedCapacity: z.union([units.transform((one) => [one]), z.array(units)]).default([]) });

/** The table of a stage, on an engine of its own and without the stage. */
export async function startLedger(root: string) {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-listing-"));
  const engine = await startEngine(dir);
  const { tables, region } = readManifest(root);
  const { Ledger: table } = tables as Record<"Ledger", TableSpec>;
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${engine.port}`,
    region,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  let reads: Reads = { calls: 0, units: 0 };
  client.middlewareStack.add(
    (next) => async (call) => {
      const answer = await next({ ...call, input: { ...call.input, ReturnConsumedCapacity: "TOTAL" } as never });
      const { ConsumedCapacity } = consumed.parse(answer.output);
      const taken = ConsumedCapacity.reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
      reads = { calls: reads.calls + 1, units: reads.units + taken };
      return answer;
    },
    { step: "initialize", name: "readUnits" },
  );
  const dynamodb = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  const noAnswers = () => Promise.reject(new Error("No answer here is too large for the table."));
  const answers = { put: noAnswers, get: noAnswers, remove: noAnswers };
  const store: ResultStore = { dynamodb, tableName: table.name, answers };
  return {
    store,
    provision: () => provisionTables(client, [table]),
    /** What was read since it was asked last. */
    takeReads(): Reads {
      const taken = reads;
      reads = { calls: 0, units: 0 };
      return taken;
    },
    async stop() {
      client.destroy();
      await engine.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
