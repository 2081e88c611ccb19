// The floor: no library at all. Node's fetch, and AWS Signature Version 4 by hand.
import { createHash, createHmac, randomUUID } from "node:crypto";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";

const {
  AWS_REGION: region = "us-east-1",
  AWS_ACCESS_KEY_ID: accessKeyId = "",
  AWS_SECRET_ACCESS_KEY: secretAccessKey = "",
  AWS_SESSION_TOKEN: sessionToken,
  OPENAI_API_KEY: openaiApiKey = "",
  OPENAI_BASE_URL: openaiBaseUrl = "https://api.openai.com/v1",
  TABLE_NAME: tableName = "",
} = process.env;
const endpoint = new URL(process.env.AWS_ENDPOINT_URL_DYNAMODB ?? `https://dynamodb.${region}.amazonaws.com`);

export const handler = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
  const { model = "gpt-4o-mini", messages } = JSON.parse(event.body ?? "{}");
  if (!Array.isArray(messages)) return { statusCode: 400, body: JSON.stringify({ error: "messages is missing" }) };
  const answer = await fetch(`${openaiBaseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${openaiApiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model, messages }),
  });
  if (!answer.ok) return { statusCode: 502, body: await answer.text() };
  const completion = (await answer.json()) as Completion;
  const id = randomUUID();
  const content = completion.choices[0]?.message.content ?? "";
  const { usage } = completion;
  await put({
    id: { S: id },
    model: { S: completion.model },
    content: { S: content },
    usage: { S: JSON.stringify(usage) },
    createdAt: { S: new Date().toISOString() },
  });
  return { statusCode: 200, body: JSON.stringify({ id, content, usage }) };
};

interface Completion {
  model: string;
  choices: { message: { content: string | null } }[];
  usage: object;
}

async function put(item: Record<string, { S: string }>): Promise<void> {
  const body = JSON.stringify({ TableName: tableName, Item: item });
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const headers: Record<string, string> = {
    "content-type": "application/x-amz-json-1.0",
    host: endpoint.host,
    "x-amz-date": time,
    ...(sessionToken && { "x-amz-security-token": sessionToken }),
    "x-amz-target": "DynamoDB_20120810.PutItem",
  };
  const authorization = sign(headers, body, time);
  const answer = await fetch(endpoint, { method: "POST", headers: { ...headers, authorization }, body });
  if (!answer.ok) throw new Error(`DynamoDB answered with ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

function sign(headers: Record<string, string>, body: string, time: string): string {
  const names = Object.keys(headers).sort();
  const signedHeaders = names.join(";");
  const canonical = names.map((name) => `${name}:${headers[name]}\n`).join("");
  const request = ["POST", "/", "", canonical, signedHeaders, sha256(body)].join("\n");
  const scope = `${time.slice(0, 8)}/${region}/dynamodb/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(request)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const signature = createHmac("sha256", key).update(text).digest("hex");
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}
