// The process that stands in for OpenAI and DynamoDB while functions are measured: a process of its own, so that its work is
// not theirs. It answers at once and keeps connections, and so takes the same small time from everyone. It speaks TLS, as OpenAI and
// AWS do: over plain HTTP, other parts of Node and of the SDKs would be measured.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
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

async function answerAsOpenAI(request: IncomingMessage, response: ServerResponse) {
  counts.openai += 1;
  const { stream } = JSON.parse(await text(request));
  if (stream) return streamAsOpenAI(response);
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(completion),
    "x-request-id": "req_1",
  });
  response.end(completion);
}

/** The first chunk tells when it was sent, as nanoseconds of the machine's own monotonic clock, which all processes share. */
function streamAsOpenAI(response: ServerResponse) {
  response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "req_1" });
  const send = (chunk: object) =>
    response.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...chunk })}\n\n`);
  const choice = (delta: object, finish_reason: string | null = null) => ({
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    usage: null,
  });
  send({ system_fingerprint: `fp_${process.hrtime.bigint()}`, ...choice({ role: "assistant", content: "" }) });
  for (const content of words) send(choice({ content }));
  send(choice({}, "stop"));
  send({ choices: [], usage });
  response.end("data: [DONE]\n\n");
}

type Item = Record<string, unknown>;

/** What was put, by table and key. */
const items = new Map<string, Item>();
/** The key's attributes in any of the tables that are measured. */
const keyNames = ["pk", "sk", "id"];
const placeOf = (table: string, attributes: Item) =>
  JSON.stringify([table, ...keyNames.map((name) => attributes[name])]);

/**
 * As much of DynamoDB as the measured functions ask for: it keeps what is put, checks no condition and no signature. Amazon's
 * DynamoDB Local takes milliseconds that vary and are not those of DynamoDB; it can be had with --dynamodb local.
 */
async function answerAsDynamoDB(request: IncomingMessage, response: ServerResponse) {
  counts.dynamodb += 1;
  const operation = String(request.headers["x-amz-target"]).split(".")[1];
  const { TableName, Item, Key, TransactItems = [] } = JSON.parse(await text(request));
  const puts = [{ TableName, Item }, ...TransactItems.map(({ Put = {} }) => Put)].filter(({ Item }) => Item);
  for (const put of puts) items.set(placeOf(put.TableName, put.Item), put.Item);
  const body = operation === "GetItem" ? JSON.stringify({ Item: items.get(placeOf(TableName, Key)) }) : "{}";
  response.writeHead(200, {
    "content-type": "application/x-amz-json-1.0",
    "content-length": Buffer.byteLength(body),
    "x-amzn-requestid": "LOCAL",
  });
  response.end(body);
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
process.send?.({ openai: `${openai}/v1`, dynamodb } satisfies Services);
