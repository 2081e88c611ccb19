import { leaseMs } from "@tollgate/core/result/claim";
import { maxImageBytes } from "@tollgate/core/vision/image";
import { describe, expect, test } from "vitest";
import { quotas } from "../../infra/limits.ts";
import { committedManifest, named } from "./stage.ts";

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

describe.each(callsOpenai)("%s, which calls OpenAI", (_, fn) => {
  const attemptMs = Number(fn.environment.OPENAI_ATTEMPT_TIMEOUT_MS);
  const budgetMs = Number(fn.environment.OPENAI_BUDGET_MS);

  test("has time left to settle when all attempts and the waits between them have used up their budget", () => {
    expect(attemptMs).toBeGreaterThan(0);
    expect(attemptMs).toBeLessThanOrEqual(budgetMs);
    expect(budgetMs + 10_000).toBeLessThan(fn.timeoutSeconds * 1000);
  });
});

test.each(manifest.api.routes.filter(({ streaming }) => streaming))(
  "$function gives up on OpenAI before API Gateway closes a silent stream",
  ({ function: name }) => {
    const { environment } = named(manifest.functions, name);
    expect(Number(environment.OPENAI_BUDGET_MS)).toBeLessThan(quotas.streamingIdleTimeoutMs);
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

  test("asks for the outcome of each record", () => {
    expect(mapping.reportBatchItemFailures).toBe(true);
  });

  test("holds back from OpenAI's rate limit", () => {
    expect(mapping.maximumConcurrency).toBeGreaterThanOrEqual(2);
    expect(mapping.maximumConcurrency).toBeLessThanOrEqual(1000);
  });
});

describe("ImageUploadedQueue", () => {
  test("fits a batch of the largest images into memory, as bytes, as base64 and as JSON", () => {
    const mapping = manifest.eventSourceMappings.find(({ queue }) => queue === "ImageUploadedQueue");
    const { memoryMb } = named(manifest.functions, "ImageUploaded");
    const batchBytes = (mapping?.batchSize ?? 0) * maxImageBytes * (1 + 4 / 3 + 4 / 3);

    expect(batchBytes).toBeGreaterThan(0);
    expect(batchBytes).toBeLessThan((memoryMb * 1024 * 1024) / 2);
  });
});

describe("RequestDeferredQueue", () => {
  const { lifecycle } = named(manifest.buckets, "Images");
  const queue = named(manifest.queues, "RequestDeferredQueue");

  test("forgets a message before the bucket forgets its request", () => {
    const days = lifecycle.find(({ prefix }) => prefix === "requests/")?.expirationDays ?? 0;
    expect(days * 24 * 3600).toBeGreaterThan(queue.retentionSeconds);
  });

  test("gives OpenAI longer than a request that waits over HTTP", () => {
    const { environment } = named(manifest.functions, "RequestDeferred");
    expect(Number(environment.OPENAI_BUDGET_MS)).toBeGreaterThan(quotas.streamingIdleTimeoutMs);
  });
});
