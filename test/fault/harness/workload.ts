import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { newCaller, picture, type Result, type TestCaller } from "../../e2e/client.ts";
import { createRandom, type Random } from "./random.ts";
import { count, type HarnessStage, type Tally } from "./stage.ts";

/** What a client was told, and what it may therefore rely on. */
export interface Told {
  caller: TestCaller;
  /** Answers that said what the result is, by its id. */
  answers: { id: string; status: string; content: unknown; openaiId: string | null }[];
  /** Results that were accepted to be worked on later. */
  accepted: string[];
  /** Objects that S3 has taken. */
  keys: string[];
  deleted: Set<string>;
}

/** Most calls go well; of the others, each way has its share. */
const openaiFaults = [
  ...[
    "429 times=1 retry_after_ms=50",
    "500 times=1",
    "500",
    "hang times=1",
    "reset times=1",
    "reset_after_billing times=1",
  ],
  ...["malformed times=1", "truncated times=1", "no_choices", "slow ms=1500", "length", "refusal", "off_schema"],
  ...["stream_break chunks=2", "stream_break chunks=2 times=1"],
] as [string, ...string[]];
const openaiFaultOnceIn = 3;

interface Client {
  /** Where the stage is now. */
  api(): string;
  random: Random;
  told: Told;
  requests: Tally;
  openaiFaults: Tally;
}

/** Clients that send one request after the other until they are told to stop. */
export async function startWorkload(stage: HarnessStage, seed: number, tallies: { requests: Tally; faults: Tally }) {
  const told: Told[] = [];
  let stopped = false;
  const clients = await Promise.all(
    Array.from({ length: 8 }, async (_, n) => {
      // Every second one has a budget that it does not reach.
      const caller = await newCaller(stage.info, n % 2 === 0 ? {} : { budgetNanoUsd: 50_000_000_000 });
      const client: Client = {
        api: () => stage.info.api,
        random: createRandom(seed, `client ${n}`),
        told: { caller, answers: [], accepted: [], keys: [], deleted: new Set() },
        requests: tallies.requests,
        openaiFaults: tallies.faults,
      };
      told.push(client.told);
      return client;
    }),
  );
  const running = clients.map(async (client) => {
    while (!stopped) {
      const kind = client.random.pick(kinds);
      count(client.requests, kind.name);
      // A stage that is being killed answers nobody.
      await kind(client).catch(() => setTimeout(100));
    }
  });
  return {
    told,
    async stop() {
      stopped = true;
      await Promise.all(running);
    },
  };
}

function prompt({ random, openaiFaults: tally }: Client): string {
  const text = `case ${randomUUID()}`;
  if (!random.onceIn(openaiFaultOnceIn)) return text;
  const fault = random.pick(openaiFaults);
  count(tally, `openai ${fault.split(" ")[0]}`);
  return `[[fault:${fault}]] ${text}`;
}

const messages = (client: Client) => [{ role: "user", content: prompt(client) }];

/** `id` of a result that ended as an HTTP error is told in the error. */
function hear({ told }: Client, status: number, body: Result): Result | null {
  if (status !== 200 || !body?.id) return null;
  told.answers.push({ id: body.id, status: body.status, content: body.content, openaiId: body.openai?.id ?? null });
  return body;
}

async function chat(client: Client, body = { messages: messages(client) }, headers = {}): Promise<Result | null> {
  const answer = await client.told.caller.send<Result>("POST", "/chat", body, headers);
  return hear(client, answer.status, answer.body);
}

const chatAgain = async (client: Client): Promise<void> => {
  const body = { messages: messages(client) };
  const headers = { "idempotency-key": randomUUID() };
  // At once, and once more when they are done.
  await Promise.allSettled([1, 2, 3].map(() => chat(client, body, headers)));
  await chat(client, body, headers);
};

async function chatStream(client: Client): Promise<void> {
  const body = { stream: true, messages: messages(client) };
  const { status, body: text } = await client.told.caller.send<string>("POST", "/chat", body);
  const line = /^event: result\ndata: (.*)$/m.exec(String(text))?.[1];
  if (status === 200 && line) hear(client, 200, JSON.parse(line));
}

async function openaiChat(client: Client): Promise<void> {
  const body = { model: "gpt-6-luna", messages: messages(client), stream: client.random.onceIn(2) };
  await client.told.caller.send("POST", "/v1/chat/completions", body);
}

/** Gone before the answer is. */
async function disconnect(client: Client): Promise<void> {
  const { caller } = client.told;
  const signal = AbortSignal.timeout(20 + client.random.integer(200));
  await fetch(`${client.api()}/chat`, {
    method: "POST",
    signal,
    headers: { authorization: `Bearer ${caller.apiKey}` },
    body: JSON.stringify({ stream: client.random.onceIn(2), messages: messages(client) }),
  })
    .then((response) => response.text())
    .catch(() => {});
}

async function chatLater(client: Client): Promise<void> {
  const { caller, accepted } = client.told;
  const headers = { prefer: "respond-async", ...(client.random.onceIn(2) && { "idempotency-key": randomUUID() }) };
  const { status, body } = await caller.send<Result>("POST", "/chat", { messages: messages(client) }, headers);
  if (status === 202) accepted.push(body.id);
}

async function vision(client: Client): Promise<void> {
  const data = (await picture("png", 40 + client.random.integer(400), 60)).toString("base64");
  const body = { images: [{ data }], prompt: prompt(client) };
  const answer = await client.told.caller.send<Result>("POST", "/vision", body);
  hear(client, answer.status, answer.body);
}

async function putObject(client: Client): Promise<void> {
  const { caller, keys } = client.told;
  const name = `${randomUUID()}.png`;
  await caller.putImage(name, await picture("png", 50, 50), { Metadata: { prompt: prompt(client) } });
  keys.push(`uploads/${caller.owner}/${name}`);
}

async function upload(client: Client): Promise<void> {
  const { caller, accepted } = client.told;
  const { status, body } = await caller.send<{ id: string; url: string; fields: Record<string, string> }>(
    "POST",
    "/uploads",
    { content_type: "image/png", prompt: prompt(client) },
  );
  if (status !== 201) return;
  const form = new FormData();
  for (const [name, value] of Object.entries(body.fields)) form.set(name, value);
  form.set("file", new Blob([new Uint8Array(await picture("png", 70, 50))]));
  const posted = await fetch(body.url, { method: "POST", body: form });
  if (posted.ok) accepted.push(body.id);
}

async function remove(client: Client): Promise<void> {
  const { answers, caller, deleted } = client.told;
  const [answer] = answers.slice(-1);
  if (!answer || deleted.has(answer.id)) return;
  // Whether it took effect is not known when the answer is lost.
  deleted.add(answer.id);
  await caller.send("DELETE", `/results/${answer.id}`);
}

type Kind = (client: Client) => Promise<unknown>;
const chatOnce: Kind = (client) => chat(client);
const kinds: readonly [Kind, ...Kind[]] = [
  chatOnce,
  ...[chatAgain, chatAgain, chatStream, chatStream, openaiChat, disconnect],
  ...[chatLater, chatLater, vision, putObject, putObject, upload, remove],
];
