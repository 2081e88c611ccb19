// The naive handler, streamed: OpenAI's chunks go to the client as server-sent events, and one put follows the last of them.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import type { APIGatewayProxyEvent } from "aws-lambda";
import OpenAI from "openai";
import { ChatRequest } from "./chat-request.ts";

const openai = new OpenAI();
const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export const handler = awslambda.streamifyResponse(async (event: APIGatewayProxyEvent, stream) => {
  const request = ChatRequest.safeParse(JSON.parse(event.body ?? "{}"));
  if (!request.success) {
    const out = awslambda.HttpResponseStream.from(stream, { statusCode: 400 });
    out.write(JSON.stringify({ error: request.error.message }));
    out.end();
    return;
  }
  const chunks = await openai.chat.completions.create({
    ...request.data,
    stream: true,
    stream_options: { include_usage: true },
  });
  const headers = { "content-type": "text/event-stream" };
  const out = awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers });
  let model = request.data.model;
  let content = "";
  let usage: OpenAI.CompletionUsage | null = null;
  for await (const chunk of chunks) {
    out.write(`data: ${JSON.stringify(chunk)}\n\n`);
    model = chunk.model;
    content += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage ?? usage;
  }
  await dynamodb.send(
    new PutCommand({
      TableName: process.env.TABLE_NAME,
      Item: { id: crypto.randomUUID(), model, content, usage, createdAt: new Date().toISOString() },
    }),
  );
  out.end("data: [DONE]\n\n");
});
