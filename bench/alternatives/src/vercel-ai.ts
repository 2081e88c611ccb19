// The naive handler with Vercel's AI SDK in the place of OpenAI's client.
import { openai } from "@ai-sdk/openai";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { generateText } from "ai";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { ChatRequest } from "./chat-request.ts";

const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});

export const handler = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
  const request = ChatRequest.safeParse(JSON.parse(event.body ?? "{}"));
  if (!request.success) return { statusCode: 400, body: JSON.stringify({ error: request.error.message }) };
  const { text, usage, response } = await generateText({
    // By itself it would ask OpenAI's Responses API.
    model: openai.chat(request.data.model),
    messages: request.data.messages,
    allowSystemInMessages: true,
  });
  const id = crypto.randomUUID();
  await dynamodb.send(
    new PutCommand({
      TableName: process.env.TABLE_NAME,
      Item: { id, model: response.modelId, content: text, usage, createdAt: new Date().toISOString() },
    }),
  );
  return { statusCode: 200, body: JSON.stringify({ id, content: text, usage }) };
};
