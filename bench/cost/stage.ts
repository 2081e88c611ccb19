import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { newApiKey } from "@tollgate/core/key/key";
import { addKey } from "@tollgate/core/key/store";
import { counterUpdate, shardCount } from "@tollgate/core/usage/ledger";
import { type Manifest, readManifest } from "@tollgate/local/manifest";
import { startOpenAI } from "@tollgate/local/openai/server";
import { localOwner } from "@tollgate/local/provision";
import { clientOptions, startStage } from "@tollgate/local/stage";
import { createCapacity } from "./capacity.ts";
import { accessLogBytes, createRecorder } from "./recorder.ts";

export interface Asking {
  body?: unknown;
  headers?: Record<string, string>;
  /** Another than the stage's own. */
  apiKey?: string;
}

/** The principal of what clients cause by themselves. */
export const client = "client";

/** Often enough to be seen. */
const sweepEverySeconds = 5;
const dayMs = 24 * 3600 * 1000;

export type MeteredStage = Awaited<ReturnType<typeof startMeteredStage>>;

/** A stage of its own that writes down what it uses, beside an OpenAI that takes `latencyMs` for every answer. */
export async function startMeteredStage(root: string, latencyMs: number) {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-cost-"));
  const manifest = readManifest(root);
  // What the stage writes while it starts is its own key, which no request writes.
  let readItem: Parameters<typeof createCapacity>[0] = async () => undefined;
  const recorder = createRecorder({
    behindQueues: new Set(manifest.eventSourceMappings.map((mapping) => mapping.function)),
    unitsOf: createCapacity((key) => readItem(key)),
  });
  const openai = await startOpenAI({ latencyMs });
  const stage = await startStage({
    root,
    dir,
    port: 0,
    manifest: sweepingOften(manifest),
    openai: { baseUrl: `${openai.url}/v1`, apiKey: openai.apiKey },
    meter: recorder.meter,
    log: recorder.log,
  }).catch(async (error) => {
    await openai.close();
    rmSync(dir, { recursive: true, force: true });
    throw error;
  });
  const { info } = stage;
  const where = clientOptions(info);
  const s3 = new S3Client({ ...where, endpoint: info.s3, forcePathStyle: true });
  const table = new DynamoDBClient({ ...where, endpoint: info.dynamodb });
  const dynamodb = DynamoDBDocumentClient.from(table);
  readItem = async (Key) =>
    (await table.send(new GetItemCommand({ TableName: info.table, Key, ConsistentRead: true }))).Item;
  const limitedKey = newApiKey();
  const limits = { budgetNanoUsd: 1e12, models: null, maxOutputTokens: null, rpm: 1_000 };
  await addKey({ dynamodb, tableName: info.table }, limitedKey, localOwner, new Date(), limits);

  const request = async (method: string, path: string, { body, headers, apiKey = info.api_key }: Asking = {}) => {
    const response = await fetch(`${info.api}${path}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${apiKey}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return text;
  };

  return {
    info,
    s3,
    recorder,
    limitedKey,
    /** Asks as a client does, on the stage's bill. Resolves with the body. */
    async ask(method: string, path: string, asking?: Asking): Promise<string> {
      const text = await request(method, path, asking);
      recorder.note(client, { gatewayRequests: 1, logBytes: accessLogBytes, outBytes: Buffer.byteLength(text) });
      return text;
    },
    /** What OpenAI has billed so far, as the ledger has it. */
    async billed() {
      const { total } = JSON.parse(await request("GET", "/usage"));
      const { prompt_tokens, completion_tokens, cost_usd } = total;
      return { promptTokens: prompt_tokens, completionTokens: completion_tokens, usd: Number(cost_usd) };
    },
    /** Bytes of all requests to OpenAI so far. */
    async sentToOpenAI(): Promise<number> {
      const response = await fetch(`${openai.url}/_control/requests`);
      return ((await response.json()) as { received_bytes: number }).received_bytes;
    },
    /** Makes the counters of a model, today's and tomorrow's: the first requests of a day pay a unit more for each of them. */
    async makeCounters(model: string): Promise<void> {
      for (const when of [Date.now(), Date.now() + dayMs]) {
        const entry = { day: new Date(when).toISOString().slice(0, 10), model, counts: { requests: 0 } };
        for (let shard = 0; shard < shardCount; shard++)
          await dynamodb.send(new UpdateCommand(counterUpdate(info.table, localOwner, entry, shard)));
      }
    },
    async stop(): Promise<void> {
      s3.destroy();
      dynamodb.destroy();
      await stage.stop();
      await openai.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const sweepingOften = (manifest: Manifest): Manifest => ({
  ...manifest,
  schedules: Object.fromEntries(
    Object.entries(manifest.schedules).map(([name, schedule]) => [
      name,
      { ...schedule, everySeconds: sweepEverySeconds },
    ]),
  ),
});
