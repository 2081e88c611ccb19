// The naive handler with LangChain in the place of OpenAI's client.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { ChatOpenAI } from "@langchain/openai";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { ChatRequest } from "./chat-request.ts";

const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});

/** Kept, since each makes a client of its own. */
const chatModels = new Map<string, ChatOpenAI>();

function chatModel(model: string): ChatOpenAI {
  const kept = chatModels.get(model) ?? new ChatOpenAI({ model });
  chatModels.set(model, kept);
  return kept;
}

export const handler = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
  const request = ChatRequest.safeParse(JSON.parse(event.body ?? "{}"));
  if (!request.success) return { statusCode: 400, body: JSON.stringify({ error: request.error.message }) };
  const answer = await chatModel(request.data.model).invoke(request.data.messages);
  const id = crypto.randomUUID();
  const content = answer.text;
  const usage = answer.usage_metadata;
  await dynamodb.send(
    new PutCommand({
      TableName: process.env.TABLE_NAME,
      Item: { id, model: answer.response_metadata.model_name, content, usage, createdAt: new Date().toISOString() },
    }),
  );
  return { statusCode: 200, body: JSON.stringify({ id, content, usage }) };
};
