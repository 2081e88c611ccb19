import { readFile } from "node:fs/promises";
import path from "node:path";
import { settleReserveMs } from "@tollgate/core/completion/run";
import { maxImageBytes } from "@tollgate/core/image/image";
import { leaseMs } from "@tollgate/core/result/claim";
import { waitingTtlMs } from "@tollgate/core/result/item";
import { maxMessageBytes } from "@tollgate/core/result/settle-later";
import { describe, expect, test } from "vitest";
import * as limits from "../../infra/limits.ts";
import { committedManifest, named, root } from "./stage.ts";

const { quotas } = limits;
const manifest = await committedManifest();
const callsOpenai = Object.entries(manifest.functions).filter(([, fn]) => "OpenAIApiKey" in fn.links);

describe.each(manifest.api.routes.map((route) => ({ ...route, route: `${route.method} ${route.path}` })))(
  "$route",
  ({ function: name, integrationTimeoutMs, streaming }) => {
    test("API Gateway waits as long as the function may run", () => {
      expect(named(manifest.functions, name).timeoutSeconds * 1000).toBeLessThanOrEqual(integrationTimeoutMs);
    });

    test("the integration stays within what API Gateway allows", () => {
      expect(integrationTimeoutMs).toBeLessThanOrEqual(
        streaming ? quotas.streamingIntegrationTimeoutMs : quotas.bufferedIntegrationTimeoutMs,
      );
    });
  },
);

describe.each(callsOpenai)("%s, which calls OpenAI", (name, fn) => {
  const attemptMs = Number(fn.environment.OPENAI_ATTEMPT_TIMEOUT_MS);
  const budgetMs = Number(fn.environment.OPENAI_BUDGET_MS);

  test("has time left to settle when all attempts and the waits between them have used up their budget", () => {
    expect(attemptMs).toBeGreaterThan(0);
    expect(attemptMs).toBeLessThanOrEqual(budgetMs);
    expect(budgetMs + settleReserveMs).toBeLessThanOrEqual(fn.timeoutSeconds * 1000);
  });

  test("asks again by itself only where no queue does", () => {
    const behindQueue = manifest.eventSourceMappings.some((mapping) => mapping.function === name);
    const attempts = Number(fn.environment.OPENAI_MAX_ATTEMPTS);
    expect(attempts).toBe((behindQueue ? limits.pipeline : limits.streaming).openaiMaxAttempts);
  });
});

test.each(manifest.api.routes.filter(({ streaming }) => streaming))(
  "$function gives up on OpenAI, or ends, before API Gateway closes a silent stream",
  ({ function: name }) => {
    const { environment, timeoutSeconds } = named(manifest.functions, name);
    const silentMs = Number(environment.OPENAI_BUDGET_MS ?? timeoutSeconds * 1000);
    expect(silentMs).toBeLessThan(quotas.streamingIdleTimeoutMs);
  },
);

describe.each(manifest.eventSourceMappings)("$queue", (mapping) => {
  const queue = named(manifest.queues, mapping.queue);
  const consumer = named(manifest.functions, mapping.function);

  test("hides a message for at least six times the function's timeout", () => {
    expect(queue.visibilityTimeoutSeconds).toBeGreaterThanOrEqual(
      quotas.visibilityPerFunctionTimeout * consumer.timeoutSeconds,
    );
  });

  test("delivers a message again only when the lease of the attempt before has expired", () => {
    expect(queue.visibilityTimeoutSeconds * 1000).toBeGreaterThan(leaseMs);
  });

  test("tells the function which receive is the last", () => {
    expect(consumer.environment.MAX_RECEIVE_COUNT).toBe(String(queue.deadLetter?.maxReceiveCount));
  });

  test("gives a message at least five receives before it is dead", () => {
    expect(queue.deadLetter?.maxReceiveCount).toBeGreaterThanOrEqual(5);
  });

  test("keeps dead messages longer than live ones", () => {
    const deadLetters = named(manifest.queues, queue.deadLetter?.queue ?? "a dead-letter queue");
    expect(deadLetters.retentionSeconds).toBeGreaterThan(queue.retentionSeconds);
  });

  test("is polled in the function's name, which may do what Lambda's poller does", () => {
    for (const action of ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"])
      expect(consumer.policy).toContainEqual(
        expect.objectContaining({ actions: expect.arrayContaining([action]), resources: [queue.arn] }),
      );
  });

  test("asks for the outcome of each record", () => {
    expect(mapping.reportBatchItemFailures).toBe(true);
  });

  test("holds back from OpenAI's rate limit", () => {
    expect(mapping.maximumConcurrency).toBeGreaterThanOrEqual(2);
    expect(mapping.maximumConcurrency).toBeLessThanOrEqual(1000);
  });
});

test("every queue but those of dead letters has the function that does its work, and takes batches as infra/limits.ts says", () => {
  const { pipeline, deferred, settleLater } = limits;
  expect(manifest.eventSourceMappings).toMatchObject([
    { queue: "ImageUploadedQueue", function: "ImageUploaded", batchSize: pipeline.batchSize },
    { queue: "RequestDeferredQueue", function: "RequestDeferred", batchSize: deferred.batchSize },
    { queue: "SettleLaterQueue", function: "SettleLater", batchSize: settleLater.batchSize },
  ]);
});

test("docs/deploy.md tells a new account how many functions the queues may have at work at once", async () => {
  const [images = 0, requests = 0, settlements = 0] = manifest.eventSourceMappings.map(
    (it) => it.maximumConcurrency ?? 0,
  );
  expect(await readFile(path.join(root, "docs/deploy.md"), "utf8")).toContain(
    `may take ${images + requests + settlements} (${images} for images, ${requests} for deferred requests, ${settlements} for settlements`,
  );
});

describe("the sweep", () => {
  const { environment } = named(manifest.functions, "Sweep");

  test("comes by every few minutes", () => {
    expect(Object.values(manifest.schedules)).toContainEqual({
      function: "Sweep",
      everySeconds: limits.sweep.everyMinutes * 60,
      input: {},
    });
  });

  test("leaves a client that lost its connection time to ask again", () => {
    expect(Number(environment.SWEEP_HTTP_GRACE_MS)).toBeGreaterThanOrEqual(leaseMs);
  });

  test("leaves a queue time to bring the work back", () => {
    const longestMs = Math.max(...Object.values(manifest.queues).map((queue) => queue.visibilityTimeoutSeconds * 1000));
    expect(Number(environment.SWEEP_QUEUE_GRACE_MS)).toBeGreaterThan(longestMs);
  });
});

/** The longest that the queue or its dead-letter queue keeps a message, which has its first date in both. */
function retentionSecondsOf(name: string): number {
  const queue = named(manifest.queues, name);
  const deadLetters = named(manifest.queues, queue.deadLetter?.queue ?? "a dead-letter queue");
  return Math.max(queue.retentionSeconds, deadLetters.retentionSeconds);
}

test.each([
  ["ImageUploadedQueue", "the result that was announced for it"],
  ["RequestDeferredQueue", "its result"],
])("%s and its dead-letter queue forget a message before the table forgets %s", (name) => {
  const formTtlMs = 15 * 60 * 1000;
  expect(retentionSecondsOf(name) * 1000 + formTtlMs).toBeLessThan(waitingTtlMs);
});

test.each(["SettleLaterQueue", "SettleLaterDlq"])("%s takes the largest settlement that is left to it", (name) => {
  expect(named(manifest.queues, name).maxMessageBytes).toBeGreaterThanOrEqual(maxMessageBytes);
});

describe("ImageUploadedQueue", () => {
  /** By `npm run bench:images`, rounded up: what the process has before a batch, and for each byte of its images. */
  const measured = { beforeMb: 116, perByte: 1.32 };

  test("fits a batch of the largest images into memory, with a quarter to spare", () => {
    const mapping = manifest.eventSourceMappings.find(({ queue }) => queue === "ImageUploadedQueue");
    const { memoryMb } = named(manifest.functions, "ImageUploaded");
    const imagesMb = ((mapping?.batchSize ?? 0) * maxImageBytes) / (1024 * 1024);

    expect(imagesMb).toBeGreaterThan(0);
    expect(measured.beforeMb + measured.perByte * imagesMb).toBeLessThan(0.75 * memoryMb);
  });
});

describe("RequestDeferredQueue", () => {
  const { lifecycle } = named(manifest.buckets, "Images");

  test("and its dead-letter queue forget a message before the bucket forgets its request", () => {
    const days = lifecycle.find(({ prefix }) => prefix === "requests/")?.expirationDays ?? 0;
    expect(days * 24 * 3600).toBeGreaterThan(retentionSecondsOf("RequestDeferredQueue"));
  });

  test("gives OpenAI longer than a request that waits over HTTP", () => {
    const { environment } = named(manifest.functions, "RequestDeferred");
    expect(Number(environment.OPENAI_BUDGET_MS)).toBeGreaterThan(quotas.streamingIdleTimeoutMs);
  });
});
