import type { Result } from "@tollgate/core/result/result";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { about } from "../../../packages/functions/src/log.ts";
import { createCallObserver, createObserver } from "../../../packages/functions/src/observe.ts";

let written: string[] = [];
beforeEach(() => {
  written = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  return () => vi.restoreAllMocks();
});
const lines = () => written.map((text) => JSON.parse(text));

const result = {
  id: "res_01JDG1W2B6V0P7S1M4QZ3T8K5C",
  owner: "acme-production",
  kind: "chat",
  source: "http",
  model: "gpt-4o-mini-2024-07-18",
  status: "succeeded",
  error: null,
} as Result;
const entry = (counts: object) => ({ day: "2026-11-22", model: result.model, counts });
const { counted, handedOver, notKept, notSwept } = createObserver("production");

describe("what is settled", () => {
  test("is one line, whose metrics are those counts that are not 0", () => {
    counted(result, [entry({ requests: 1, prompt_tokens: 2855, completion_tokens: 31, cost_nano_usd: 446_850 })]);
    const [line] = lines();
    expect(line).toMatchObject({ event: "settled", Stage: "production", Requests: 1, CostUsd: 0.00044685 });
    expect(line._aws.CloudWatchMetrics[0].Metrics).toEqual([
      { Name: "Requests", Unit: "Count" },
      { Name: "PromptTokens", Unit: "Count" },
      { Name: "CompletionTokens", Unit: "Count" },
      { Name: "CostUsd", Unit: "None" },
    ]);
  });

  test("adds up over its entries, and is no metric where they cancel each other", () => {
    counted(result, [
      entry({ requests: 1, failed: 1, unaccounted_attempts: 2 }),
      entry({ requests: -1, failed: -1, unaccounted_attempts: -1 }),
    ]);
    counted(result, []);
    const [line, none] = lines();
    expect(line._aws.CloudWatchMetrics[0].Metrics).toEqual([{ Name: "UnaccountedAttempts", Unit: "Count" }]);
    expect(line.UnaccountedAttempts).toBe(1);
    expect(none).not.toHaveProperty("_aws");
  });

  test.each([
    ["handed over", () => handedOver(result), "SettlementsHandedOver"],
    ["not kept", () => notKept(result, new Error("The table is down.")), "SettlementsNotKept"],
  ])("or %s", (_, act, metric) => {
    act();
    expect(lines()).toMatchObject([{ result_id: result.id, [metric]: 1 }]);
    // An error's message may quote the request.
    expect(written.join()).not.toContain("The table is down.");
  });
});

test("a result that the sweep could not end is a line that says which and why", () => {
  notSwept(result.id, new TypeError("It quotes an item."));
  expect(lines()).toMatchObject([
    { level: "error", event: "not_swept", result_id: result.id, cause: { name: "TypeError" } },
  ]);
  expect(written.join()).not.toContain("It quotes an item.");
});

test("a chat's two lines have less than 1.4 KB: what docs/operations.md says they cost", () => {
  const subject = {
    request_id: crypto.randomUUID(),
    aws_request_id: crypto.randomUUID(),
    route: "POST /v1/chat/completions",
    owner: result.owner,
    key_id: "key_01JDG1W2B6V0P7S1M4QZ3T8K5C",
  };
  about(subject, () => {
    createCallObserver("production")({ model: "gpt-4o-mini", latencyMs: 1204, code: null });
    counted(result, [entry({ requests: 1, prompt_tokens: 2855, completion_tokens: 31, cost_nano_usd: 446_850 })]);
  });
  expect(lines()).toMatchObject([
    { event: "openai_called", ...subject },
    { event: "settled", ...subject },
  ]);
  expect(Buffer.byteLength(written.join(""))).toBeLessThan(1400);
});
