import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { quickly } from "./patience.ts";

export const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient({ requestHandler: quickly }), {
  marshallOptions: { removeUndefinedValues: true },
});
