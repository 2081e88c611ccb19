import { Writable } from "node:stream";
import { performStream } from "@tollgate/core/completion/stream";
import type { Context } from "aws-lambda";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { settleReserveMs } from "../../../packages/core/src/completion/run.ts";
import { readItem } from "../../../packages/core/src/result/store.ts";
import { streaming, unreadReserveMs } from "../../../packages/functions/src/http.ts";
import { resultEvents, streamResponse } from "../../../packages/functions/src/stream-response.ts";
import { jobOf, startAccount } from "../budget/account.ts";
import { countersOf } from "../result/ledger.ts";

const { deps } = await startAccount();

beforeAll(() => {
  const HttpResponseStream = { from: (stream: Writable) => stream };
  vi.stubGlobal("awslambda", { streamifyResponse: (handler: unknown) => handler, HttpResponseStream });
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
});
afterAll(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Streams one chat to a client, in a function that has so long to live. Resolves when its answer was heard to the end. */
async function chat(owner: string, client: Writable, remainingMs: number) {
  const heard = Promise.withResolvers<void>();
  const job = { ...jobOf("key", 0), key: null, owner, deadlineMs: Date.now() + remainingMs };
  const handler = streaming(async () => {
    const { resultId, events } = await performStream(deps, job);
    const toTheEnd = (async function* () {
      yield* events;
      heard.resolve();
    })();
    return streamResponse({ resultId, replayed: false, events: toTheEnd }, resultEvents);
  }) as unknown as (event: object, stream: Writable, context: Partial<Context>) => Promise<void>;
  const event = { requestContext: { requestId: "r", path: "/chat" }, resource: "/chat", httpMethod: "POST" };
  const over = handler(event, client, { awsRequestId: "a", getRemainingTimeInMillis: () => remainingMs });
  await heard.promise;
  const item = await readItem(deps.store, job.id);
  return { over, result: item?.result, counters: await countersOf(deps, owner) };
}

it("is settled, with all that OpenAI billed, when its client is there and reads nothing", async () => {
  const written: string[] = [];
  const client = new Writable({ highWaterMark: 1, write: (chunk) => void written.push(String(chunk)) });

  const { result, counters } = await chat("standstill", client, unreadReserveMs + 100);

  expect(written).toHaveLength(1);
  expect(result).toMatchObject({ status: "succeeded" });
  expect(result).not.toHaveProperty("usageEstimated");
  expect(counters).toMatchObject({ requests: 1, total_tokens: result?.usage?.totalTokens, unaccounted_attempts: 0 });
  client.destroy();
});

it("reaches a client whole that is slow", async () => {
  const written: string[] = [];
  const client = new Writable({
    highWaterMark: 1,
    write: (chunk, _, taken) => {
      written.push(String(chunk));
      setImmediate(taken);
    },
  });

  const { over } = await chat("slow", client, unreadReserveMs + 60_000);
  await over;

  expect(written.at(-1)).toMatch(/^event: result\n.*\n\ndata: \[DONE\]\n\n$/);
});

it("is given up early enough to hear the rest of it and to settle", () => {
  expect(unreadReserveMs).toBeGreaterThan(settleReserveMs);
});
