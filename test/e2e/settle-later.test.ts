import { GetQueueUrlCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { TransactWriteCommand, type TransactWriteCommandInput } from "@aws-sdk/lib-dynamodb";
import { readBudget } from "@tollgate/core/budget/budget";
import { monthOf } from "@tollgate/core/budget/month";
import { chatJob } from "@tollgate/core/chat/chat";
import { perform } from "@tollgate/core/completion/run";
import { unlimited } from "@tollgate/core/key/limits";
import { createUpstream } from "@tollgate/core/openai/client";
import { createS3TextStore } from "@tollgate/core/s3/s3-text-store";
import { expect, inject, test } from "vitest";
import { committedManifest, named } from "../infra/stage.ts";
import { awsClients, newCaller, unique } from "./client.ts";

const stage = inject("stage");
const { dynamodb, s3, sqs } = awsClients(stage);
const { queues } = await committedManifest();
const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: named(queues, "SettleLaterQueue").name }));

/** Whether a transaction settles: it adds to the counters. */
const settles = ({ input }: { input: TransactWriteCommandInput }): boolean =>
  (input.TransactItems ?? []).some(({ Update }) => String(Update?.Key?.pk).startsWith("usage#"));

/** The table as it is in an outage that begins while OpenAI thinks: what was claimed can no longer be settled. */
const withoutSettlements = new Proxy(dynamodb, {
  get: (client, name) =>
    name === "send"
      ? (command: object) =>
          command instanceof TransactWriteCommand && settles(command)
            ? Promise.reject(new Error("DynamoDB is down."))
            : client.send(command as never)
      : Reflect.get(client, name),
});

test.each([
  ["that fits into an item", 1, null],
  ["that is too large for one", 128, null],
  ["that is charged to a budget", 1, 1_000_000_000],
])("an answer %s, paid for in an outage, is settled from the queue", async (_, n, budgetNanoUsd) => {
  const caller = await newCaller(stage);
  const handedOver: string[] = [];
  const deps = {
    store: {
      dynamodb: withoutSettlements,
      tableName: stage.table,
      answers: createS3TextStore(s3, stage.bucket),
    },
    upstream: createUpstream({
      apiKey: "sk-local",
      baseUrl: stage.openai,
      attemptTimeoutMs: 30_000,
      budgetMs: 30_000,
      maxAttempts: 1,
    }),
    prices: new Map(),
    settlementQueue: { send: async (message: string) => void handedOver.push(message) },
    defaultModel: "gpt-4o-mini",
    now: () => new Date(),
  };
  const content = `${"wonderful ".repeat(n * 15)} ${unique()}`;
  // What SQS refuses in a message.
  const metadata = { note: "\uFFFE \uFFFF" };
  const messages = [{ role: "user" as const, content }];
  const request = { n, logprobs: true, top_logprobs: n > 1 ? 20 : 0, messages, metadata };
  const { result } = await perform(
    deps,
    chatJob(deps, request, {
      owner: caller.owner,
      key: { ...unlimited, keyId: caller.keyId, budgetNanoUsd },
      idempotencyKey: null,
      deadlineMs: Date.now() + 60_000,
    }),
  );
  expect((await caller.send<{ status: string }>("GET", `/results/${result.id}`)).body.status).toBe("running");

  const [message = ""] = handedOver;
  // Twice, as SQS may deliver it.
  for (let copy = 0; copy < 2; copy++) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: message }));
  const settled = await caller.finished(result.id);
  expect(settled).toMatchObject({ status: "succeeded", openai: { id: result.openai?.id }, metadata });
  expect(Buffer.byteLength(result.answer ?? "") > 350_000).toBe(n > 1);
  expect(await caller.usage()).toMatchObject({
    requests: 1,
    total_tokens: settled.usage?.total_tokens,
    unaccounted_attempts: 0,
  });
  const budget = await readBudget({ dynamodb, tableName: stage.table }, caller.keyId, monthOf(new Date()));
  const spent = budgetNanoUsd === null ? 0 : Math.round(Number(settled.cost?.usd) * 1e9);
  expect(budget).toEqual({ committed_nano_usd: spent, spent_nano_usd: spent });
});
