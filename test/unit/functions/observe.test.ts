import type { Result } from "@tollgate/core/result/result";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { withLogContext } from "../../../packages/functions/src/log.ts";
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
/** A day on which gpt-4o-mini, which ends on 2027-01-14, has more than 90 days left. */
const early = () => new Date("2026-10-01T12:00:00Z");
const { counted, handedOver, notKept, notSwept } = createObserver("production", early);

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

describe("a settled result of a model that ends", () => {
  /** An observer whose clock each call of `settle` sets. */
  const settler = () => {
    let now = new Date(0);
    const observer = createObserver("production", () => now);
    return (at: string, model: string, ...requests: number[]) => {
      now = new Date(at);
      const entries = requests.map((count) => ({ day: at.slice(0, 10), model, counts: { requests: count } }));
      observer.counted({ ...result, model }, entries);
    };
  };
  const warnings = () => lines().filter(({ event }) => event === "model_ends");
  const settled = () => lines().filter(({ event }) => event === "settled");

  test.each<[string, string, object]>([
    ["2026-10-16", "gpt-4o-mini", { ends_on: "2027-01-14", replacement: "gpt-6-luna", days_left: 90 }],
    ["2027-01-13", "gpt-4o-mini-2024-07-18", { ends_on: "2027-01-14", replacement: "gpt-6-luna", days_left: 1 }],
    ["2027-01-14", "openai/gpt-4o", { ends_on: "2027-01-14", replacement: "gpt-6-luna", days_left: 0 }],
    ["2026-11-28", "o1", { ends_on: "2026-10-23", replacement: "gpt-5.6-sol", days_left: -36 }],
  ])("is on %s, of %s, a warning with its end, its replacement and the days left", (day, model, fields) => {
    settler()(`${day}T12:00:00Z`, model, 1);
    expect(warnings()).toEqual([
      { timestamp: expect.any(String), level: "warn", event: "model_ends", model, ...fields },
    ]);
  });

  test.each([
    ["with 91 days left", "2026-10-15", "gpt-4o-mini", [1]],
    ["without an end", "2026-11-28", "gpt-6-luna", [1]],
    ["that nobody here knows", "2026-11-28", "llama3.2", [1]],
    ["whose request is taken off the ledger", "2026-11-28", "o1", [-1]],
    ["when the counters do not change", "2026-11-28", "o1", []],
  ])("is no warning %s", (_, day, model, requests) => {
    settler()(`${day}T12:00:00Z`, model, ...requests);
    expect(settled()).toHaveLength(1);
    expect(warnings()).toEqual([]);
  });

  test("warns once for each model and day of UTC, whichever snapshot is named", () => {
    const settle = settler();
    for (const day of ["2026-11-28", "2026-11-29"])
      for (const time of ["00:00:00.000", "23:59:59.999"])
        for (const model of ["gpt-4o-mini", "gpt-4o-mini-2024-07-18", "o3"]) settle(`${day}T${time}Z`, model, 1);
    expect(settled()).toHaveLength(12);
    expect(warnings().map(({ model, days_left }) => [model, days_left])).toEqual([
      ["gpt-4o-mini", 47],
      ["o3", 13],
      ["gpt-4o-mini", 46],
      ["o3", 12],
    ]);
  });

  test.each([
    ["2026-12-14", undefined],
    ["2026-12-15", 1],
    ["2027-01-14", 1],
    ["2027-02-14", 1],
  ])("counts as EndingModelRequests from 30 days before its end on: on %s %s", (day, count) => {
    settler()(`${day}T00:00:00Z`, "gpt-4o-mini-2024-07-18", 1);
    expect(settled()[0].EndingModelRequests).toBe(count);
  });

  test("counts its requests alone where another model's come with them", () => {
    const observer = createObserver("production", () => new Date("2026-11-28"));
    const of = (model: string, requests: number) => ({ day: "2026-11-28", model, counts: { requests } });
    observer.counted(result, [of("gpt-6-luna", -1), of("o3", 1)]);
    expect(settled()[0]).toMatchObject({ EndingModelRequests: 1 });
    expect(settled()[0]).not.toHaveProperty("Requests");
    expect(warnings()).toMatchObject([{ model: "o3" }]);
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
  withLogContext(subject, () => {
    createCallObserver("production")({ model: "gpt-4o-mini", latencyMs: 1204, code: null });
    counted(result, [entry({ requests: 1, prompt_tokens: 2855, completion_tokens: 31, cost_nano_usd: 446_850 })]);
  });
  expect(lines()).toMatchObject([
    { event: "openai_called", ...subject },
    { event: "settled", ...subject },
  ]);
  expect(Buffer.byteLength(written.join(""))).toBeLessThan(1400);
});
