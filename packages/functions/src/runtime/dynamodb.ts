import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { PlainJsonProtocol } from "./plain-json.ts";
import { shortTimeouts } from "./timeouts.ts";

const client = new DynamoDBClient({ requestHandler: shortTimeouts, protocol: PlainJsonProtocol });
// It copies all that is sent and received, for a log that is not there.
client.middlewareStack.remove("loggerMiddleware");

export const dynamodb = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
