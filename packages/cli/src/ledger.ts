import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { Resource } from "sst/resource";

export type Ledger = ReturnType<typeof openLedger>;

export const root = resolve(import.meta.dirname, "../../..");

/**
 * The ledger that a command works on: the deployed stage's inside `sst shell`, else that of the local stage that keeps its
 * state in `dir`, by the repository's root, as `npm start -- --dir` has it.
 */
export function openLedger(dir = ".local") {
  if (process.env.SST_RESOURCE_App) {
    const { name } = (Resource as unknown as { Ledger: { name: string } }).Ledger;
    return { dynamodb: DynamoDBDocumentClient.from(new DynamoDBClient()), tableName: name, openai: null };
  }
  const stageFile = resolve(root, dir, "stage.json");
  if (!existsSync(stageFile)) {
    throw new Error(
      "No stage is running here. Start the local one with `npm start`, or name a deployed one: npx sst shell --stage <stage> -- npm run …",
    );
  }
  const stage = JSON.parse(readFileSync(stageFile, "utf8"));
  const client = new DynamoDBClient({
    endpoint: stage.dynamodb,
    region: stage.region,
    credentials: { accessKeyId: stage.access_key_id, secretAccessKey: stage.secret_access_key },
  });
  return {
    dynamodb: DynamoDBDocumentClient.from(client),
    tableName: String(stage.table),
    openai: String(stage.openai),
  };
}
