import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

/** The one table, and who asks it. */
export interface Table {
  dynamodb: DynamoDBDocumentClient;
  tableName: string;
}
