import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { addKey, verifyKey } from "@tollgate/core/key/store";
import type { Credentials } from "./environment.ts";

/** The owner of the stage's own API key. */
export const localOwner = "local";

/** Makes the stage's API key known to its table, as `npm run keys -- create` would. */
export async function provisionApiKey(options: {
  apiKey: string;
  tableName: string;
  endpoint: string;
  region: string;
  credentials: Credentials;
}): Promise<void> {
  const { apiKey, tableName, endpoint, region, credentials } = options;
  const client = new DynamoDBClient({ endpoint, region, credentials });
  const store = { dynamodb: DynamoDBDocumentClient.from(client), tableName };
  if (!(await verifyKey(store, apiKey))) await addKey(store, apiKey, localOwner, new Date());
  client.destroy();
}
