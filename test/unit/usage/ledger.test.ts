import type { Result } from "@tollgate/core/result/result";
import { counterUpdate, entryOf } from "@tollgate/core/usage/ledger";
import { describe, expect, test } from "vitest";

const entryFor = (model: string) =>
  entryOf("2026-11-22", { result: { model, status: "succeeded", usage: null } as Result, unaccounted: 0 });

describe("a model on the counters", () => {
  test.each(["gpt-4o-mini-2024-07-18", "ft:gpt-4o-mini-2024-07-18:acme::abc", "x".repeat(256)])(
    "has its name: %s",
    (model) => {
      expect(entryFor(model).model).toBe(model);
    },
  );

  // A compatible server names in its answer what it likes.
  test.each([
    ["", ""],
    ["a long one", "x".repeat(5_000)],
    ["one of emoji", "😀".repeat(5_000)],
    ["one whose cut goes through an emoji", `x${"😀".repeat(256)}`],
    ["one of three bytes for each unit", "語".repeat(5_000)],
    ["half an emoji", "\ud83d"],
  ])("can be counted whatever its name: %s", (_, model) => {
    const { Key, ExpressionAttributeValues } = counterUpdate("ledger", "o".repeat(63), entryFor(model), 7);
    const sortKeys = [Key.sk, String((ExpressionAttributeValues as Record<string, unknown>)[":indexSk"])];
    for (const key of sortKeys) {
      expect(key.isWellFormed()).toBe(true);
      // DynamoDB's limit of a sort key.
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1_024);
    }
  });
});
