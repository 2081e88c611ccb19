import { expect, test } from "vitest";
import { load } from "../../bench/load.ts";

test("under load nothing is lost, nothing is double, and OpenAI sees no more than the configured concurrency", async () => {
  const found = await load({ images: 60, chats: 8, seconds: 5 });
  expect(found.images.statuses).toEqual({ succeeded: 60 });
  expect([found.lost, found.twice]).toEqual([0, 0]);
  expect(found.audit.problems).toEqual([]);
  expect(found.audit.billed?.onResults).toBe(60 + found.chats.answered);
  expect(found.openai.max_in_flight).toBeLessThanOrEqual(found.openai.allowed);
  expect(found.openai.max_in_flight).toBeGreaterThan(1);
}, 400_000);
