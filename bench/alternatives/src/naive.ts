// The handler that most people begin with: OpenAI's client, zod, and one put into DynamoDB. No idempotency, no ledger.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import OpenAI from "openai";
import { ChatRequest } from "./chat-request.ts";

const openai = new OpenAI();
/** Shared with what wraps this handler. */
export const client = new DynamoDBClient({});
const dynamodb = DynamoDBDocumentClient.from(client);

export const handler = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
  const request = ChatRequest.safeParse(JSON.parse(event.body ?? "{}"));
  if (!request.success) return { statusCode: 400, body: JSON.stringify({ error: request.error.message }) };
  const completion = await openai.chat.completions.create(request.data);
  const id = crypto.randomUUID();
  const content = completion.choices[0]?.message.content ?? null;
  const { usage } = completion;
  await dynamodb.send(
    new PutCommand({
      TableName: process.env.TABLE_NAME,
      Item: { id, model: completion.model, content, usage, createdAt: new Date().toISOString() },
    }),
  );
  return { statusCode: 200, body: JSON.stringify({ id, content, usage }) };
};
