import { AppError } from "@tollgate/core/error";
import type { Context, SQSRecord } from "aws-lambda";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type Delivery, sqsHandler, type Work } from "../../../packages/functions/src/sqs-handler.ts";

const context = { getRemainingTimeInMillis: () => 60_000 } as Context;

const record = (messageId: string, receiveCount = 1): SQSRecord => ({
  messageId,
  receiptHandle: `handle-${messageId}`,
  body: messageId,
  attributes: {
    ApproximateReceiveCount: String(receiveCount),
    SentTimestamp: "0",
    SenderId: "",
    ApproximateFirstReceiveTimestamp: "0",
  },
  messageAttributes: {},
  md5OfBody: "",
  eventSource: "aws:sqs",
  eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:q",
  awsRegion: "us-east-1",
});

const rateLimited = (retryAfterSeconds?: number) => new AppError("rate_limited", "Later.", { retryAfterSeconds });

/** Delivers these messages, and tells which came back and for how long each was hidden. */
async function deliver(work: Work, ...messages: SQSRecord[]) {
  const hidden: Record<string, number> = {};
  const queue = {
    maxReceiveCount: 5,
    postpone: async (handle: string, seconds: number) => {
      hidden[handle] = seconds;
    },
  };
  const { batchItemFailures } = await sqsHandler(queue, work)({ Records: messages }, context);
  return { returned: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), hidden };
}

beforeEach(() => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  return () => vi.restoreAllMocks();
});

describe("a batch", () => {
  test("has an outcome for each of its messages", async () => {
    const work = async ({ body }: Delivery) => (body === "b" ? [rateLimited(7)] : []);
    expect(await deliver(work, record("a"), record("b"), record("c"))).toEqual({
      returned: ["b"],
      hidden: { "handle-b": 7 },
    });
  });

  test("survives a message whose work throws: that one comes back", async () => {
    const work = async ({ body }: Delivery) => {
      if (body === "a") throw new Error("a bug");
      return [];
    };
    expect((await deliver(work, record("a"), record("b"))).returned).toEqual(["a"]);
  });

  test("survives a queue that postpones nothing: the message comes back by itself", async () => {
    const queue = { maxReceiveCount: 5, postpone: () => Promise.reject(new Error("no queue today")) };
    const handler = sqsHandler(queue, async () => [rateLimited()]);
    expect(await handler({ Records: [record("a")] }, context)).toEqual({
      batchItemFailures: [{ itemIdentifier: "a" }],
    });
  });
});

describe("a message that failed", () => {
  test.each([
    [1, 5],
    [2, 30],
    [3, 180],
    [4, 900],
  ])("is hidden longer each time: receive %i, %i s", async (receiveCount, seconds) => {
    const { hidden } = await deliver(async () => [rateLimited()], record("a", receiveCount));
    expect(hidden).toEqual({ "handle-a": seconds });
  });

  test("is hidden as long as the longest of its rate limits asks for", async () => {
    const { hidden } = await deliver(async () => [rateLimited(60), rateLimited(21_600), rateLimited()], record("a"));
    expect(hidden).toEqual({ "handle-a": 21_600 });
  });

  test("goes to the dead-letter queue without delay after its last receive", async () => {
    const seen: boolean[] = [];
    const work = async ({ isLast }: Delivery) => {
      seen.push(isLast);
      return [rateLimited(600)];
    };
    expect((await deliver(work, record("a", 5))).hidden).toEqual({ "handle-a": 0 });
    await deliver(work, record("a", 4));
    expect(seen).toEqual([true, false]);
  });
});
