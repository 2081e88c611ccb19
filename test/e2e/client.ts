import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PutObjectCommand, type PutObjectCommandInput, S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { newApiKey } from "@tollgate/core/key/key";
import { type KeyLimits, unlimited } from "@tollgate/core/key/limits";
import { addKey } from "@tollgate/core/key/store";
import type { presentResult } from "@tollgate/core/result/result";
import type { usageReport } from "@tollgate/core/usage/ledger";
import { clientOptions, type StageInfo } from "@tollgate/local/stage";
import sharp from "sharp";

export type Result = ReturnType<typeof presentResult>;
export type Usage = Awaited<ReturnType<typeof usageReport>>;
export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string; result_id?: string };
}

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** A caller with a key and an owner of its own. */
export async function newCaller(stage: StageInfo, limits: Partial<KeyLimits> = {}) {
  const owner = `t-${randomUUID()}`;
  const apiKey = newApiKey();
  const { dynamodb } = awsClients(stage);
  const key = await addKey({ dynamodb, tableName: stage.table }, apiKey, owner, new Date(), {
    ...unlimited,
    ...limits,
  });

  async function send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(`${stage.api}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  return {
    owner,
    apiKey,
    keyId: key.key_id,
    send,
    usage: async () => (await send<Usage>("GET", "/usage")).body.total,
    results: async (query = "") => (await send<{ data: Result[] }>("GET", `/results?limit=100${query}`)).body.data,
    /** Waits until the result is final. */
    async finished(id: string): Promise<Result> {
      return eventually(async () => {
        const { status, body } = await send<Result>("GET", `/results/${id}`);
        return status === 200 && body.status !== "running" && body.status !== "awaiting_upload" ? body : null;
      });
    },
    /** Waits until the owner has this many final results. */
    async finishedResults(count: number): Promise<Result[]> {
      return eventually(async () => {
        const { body } = await send<{ data: Result[] }>("GET", "/results?limit=100");
        const final = body.data.filter(({ status }) => status !== "running" && status !== "awaiting_upload");
        return final.length >= count ? final : null;
      });
    },
    putImage: (name: string, bytes: Uint8Array, options: Partial<PutObjectCommandInput> = {}) =>
      awsClients(stage).s3.send(
        new PutObjectCommand({ Bucket: stage.bucket, Key: `uploads/${owner}/${name}`, Body: bytes, ...options }),
      ),
  };
}

export type TestCaller = Awaited<ReturnType<typeof newCaller>>;

/** Asks until there is an answer. The limit only keeps a broken test from running for ever. */
export async function eventually<T>(ask: () => Promise<T | null>, patienceMs = 45_000): Promise<T> {
  for (const until = Date.now() + patienceMs; Date.now() < until; await pause(100)) {
    const answer = await ask();
    if (answer !== null) return answer;
  }
  throw new Error(`Nothing came in ${patienceMs / 1000} s.`);
}

export function awsClients(stage: StageInfo) {
  const where = clientOptions(stage);
  return {
    // As the functions' own, for code of theirs that a test runs.
    dynamodb: DynamoDBDocumentClient.from(new DynamoDBClient({ ...where, endpoint: stage.dynamodb }), {
      marshallOptions: { removeUndefinedValues: true },
    }),
    s3: new S3Client({ ...where, endpoint: stage.s3, forcePathStyle: true }),
    sqs: new SQSClient({ ...where, endpoint: stage.sqs }),
  };
}

interface Billed {
  id: string;
  model: string;
  delivered: boolean;
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

/** What OpenAI billed for a result, in the fields that a result shows too. */
export async function billedUsage(stage: StageInfo, { openai }: Result) {
  const usage = (await billed(stage)).get(openai?.id ?? "")?.usage;
  if (!usage) throw new Error(`OpenAI has billed nothing as ${openai?.id}.`);
  const { prompt_tokens, completion_tokens, total_tokens } = usage;
  return { prompt_tokens, completion_tokens, total_tokens };
}

/** What the simulated OpenAI has billed, by OpenAI's id of the completion. */
export async function billed(stage: StageInfo): Promise<Map<string, Billed>> {
  const response = await fetch(`${new URL(stage.openai).origin}/_control/billed`);
  const { data } = (await response.json()) as { data: Billed[] };
  return new Map(data.map((entry) => [entry.id, entry]));
}

/** A picture of one colour, which no other test has: the words in it make OpenAI's rules match this test alone. */
export const picture = (format: "png" | "jpeg" | "webp" | "gif", width = 64, height = 48, background = "#c03020") =>
  sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer();

/** Text that makes a request unlike any other test's. */
export const unique = () => `case ${randomUUID()}`;

export const userMessage = (content: string) => [{ role: "user", content }];
