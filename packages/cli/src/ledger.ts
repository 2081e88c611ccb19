import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Resource } from "sst/resource";
import { clientOf, localStage } from "./stage.ts";

export type Ledger = ReturnType<typeof openLedger>;

/** The ledger that a command works on. */
export function openLedger(dir?: string) {
  const stage = localStage(dir);
  const links = Resource as unknown as { Ledger: { name: string } };
  return {
    dynamodb: DynamoDBDocumentClient.from(new DynamoDBClient(clientOf(stage, "dynamodb"))),
    tableName: stage ? stage.table : links.Ledger.name,
  };
}
