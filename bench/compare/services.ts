// The process that stands in for OpenAI and DynamoDB while functions are measured: a process of its own, so that its work is
// not theirs. It answers at once and keeps connections, and so takes the same small time from everyone. It speaks TLS, as OpenAI and
// AWS do: over plain HTTP, other parts of Node and of the SDKs would be measured.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Certificate } from "./certificate.ts";

/** Where the services listen; how many requests each was sent. */
export interface Services {
  openai: string;
  dynamodb: string;
}
export interface Counts {
  openai: number;
  dynamodb: number;
}

const counts: Counts = { openai: 0, dynamodb: 0 };

const usage = {
  prompt_tokens: 19,
  completion_tokens: 10,
  total_tokens: 29,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
};
const words = ["Hello", "!", " How", " can", " I", " help", " you", " today", "?"];
const head = { id: "chatcmpl-1", created: 1_795_000_000, model: "gpt-4o-mini-2024-07-18", service_tier: "default" };

const completion = JSON.stringify({
  ...head,
  object: "chat.completion",
  system_fingerprint: "fp_0",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: words.join(""), refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage,
});

const models = JSON.stringify({
  object: "list",
  data: [{ id: "gpt-4o-mini", object: "model", created: 1_721_172_741, owned_by: "system" }],
});

async function answerAsOpenAI(request: IncomingMessage, response: ServerResponse) {
  counts.openai += 1;
  const body = await text(request);
  if (body !== "" && JSON.parse(body).stream) return streamAsOpenAI(response);
  const answer = request.url?.endsWith("/models") ? models : completion;
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(answer),
    "x-request-id": "req_1",
  });
  response.end(answer);
}

/** The first chunk tells when it was sent, as nanoseconds of the machine's own monotonic clock, which all processes share. */
async function streamAsOpenAI(response: ServerResponse) {
  response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "req_1" });
  const send = (chunk: object) =>
    response.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...chunk })}\n\n`);
  const choice = (delta: object, finish_reason: string | null = null) => ({
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    usage: null,
  });
  send({ system_fingerprint: `fp_${process.hrtime.bigint()}`, ...choice({ role: "assistant", content: "" }) });
  // Node.js keeps what is written in one turn together: the first chunk shall not wait for the others.
  await nextTurn();
  for (const content of words) send(choice({ content }));
  send(choice({}, "stop"));
  send({ choices: [], usage });
  response.end("data: [DONE]\n\n");
}

type Item = Record<string, unknown>;

/** What was put: by table and partition, and in these by sort key. The alternatives' table has a partition key `id` alone. */
const partitions = new Map<string, Map<string, Item>>();
const partitionNamed = (table: string, key: unknown) => JSON.stringify([table, key]);

function partitionOf(table: string, { pk, id }: Item): Map<string, Item> {
  const name = partitionNamed(table, pk ?? id);
  const found = partitions.get(name) ?? new Map<string, Item>();
  partitions.set(name, found);
  return found;
}

const sortKey = ({ sk }: Item) => JSON.stringify(sk ?? null);

/** As much of DynamoDB as the measured functions ask for: it keeps what is put, and checks neither condition nor signature. */
async function answerAsDynamoDB(request: IncomingMessage, response: ServerResponse) {
  counts.dynamodb += 1;
  const operation = String(request.headers["x-amz-target"]).split(".")[1];
  const body = JSON.stringify(answerTo(operation, JSON.parse(await text(request))));
  response.writeHead(200, {
    "content-type": "application/x-amz-json-1.0",
    "content-length": Buffer.byteLength(body),
    "x-amzn-requestid": "LOCAL",
  });
  response.end(body);
}

interface Operation {
  TableName: string;
  Item?: Item;
  Key?: Item;
  TransactItems?: { Put?: Operation }[];
  ExpressionAttributeValues?: Item;
}

function answerTo(name: string | undefined, operation: Operation): object {
  const { TableName, Key, TransactItems = [], ExpressionAttributeValues = {} } = operation;
  for (const { TableName, Item } of [operation, ...TransactItems.flatMap(({ Put }) => Put ?? [])])
    if (Item) partitionOf(TableName, Item).set(sortKey(Item), Item);
  if (name === "GetItem" && Key) return { Item: partitionOf(TableName, Key).get(sortKey(Key)) };
  if (name !== "Query") return {};
  // Of the key's condition, its partition alone.
  const Items = [...(partitions.get(partitionNamed(TableName, ExpressionAttributeValues[":pk"]))?.values() ?? [])];
  return { Items, Count: Items.length, ScannedCount: Items.length };
}

const { key, cert }: Certificate = JSON.parse(process.argv[2] ?? "");

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>) {
  const server = createServer({ key, cert }, (request, response) => void answer(request, response));
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const [openai, dynamodb] = await Promise.all([listen(answerAsOpenAI), listen(answerAsDynamoDB)]);
process.on("message", () => process.send?.(counts));
process.on("disconnect", () => process.exit());
// Ctrl-C in a terminal reaches every process: this one ends after those that ask it.
process.on("SIGINT", () => {});
process.send?.({ openai: `${openai}/v1`, dynamodb } satisfies Services);
