import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { clientOf, links, localStage } from "./stage.ts";

export type Ledger = ReturnType<typeof openLedger>;

/** The ledger that a command works on. */
export function openLedger(dir?: string) {
  const stage = localStage(dir);
  return {
    dynamodb: DynamoDBDocumentClient.from(new DynamoDBClient(clientOf(stage, "dynamodb"))),
    tableName: stage ? stage.table : links.Ledger.name,
  };
}
