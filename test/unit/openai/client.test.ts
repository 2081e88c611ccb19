import { createUpstream } from "@tollgate/core/openai/client";
import { UpstreamFailure } from "@tollgate/core/openai/retry";
import { describe, expect, test } from "vitest";

/** Calls an OpenAI that nobody can reach, by a clock that only waiting moves. */
async function call(name: "complete" | "stream" | "models", { budgetMs = 60_000, deadlineMs = 900_000 }) {
  let nowMs = 0;
  const waits: number[] = [];
  const upstream = createUpstream({
    apiKey: "sk-test",
    // Port 0 is never listened on.
    baseUrl: "http://127.0.0.1:0/v1",
    attemptTimeoutMs: 30_000,
    budgetMs,
    maxAttempts: 100,
    now: () => nowMs,
    random: () => 1,
    sleep: async (ms) => {
      waits.push(ms);
      nowMs += ms;
    },
  });
  const params = { model: "gpt-4o-mini", messages: [{ role: "user" as const, content: "Hello" }] };
  const calls = {
    complete: () => upstream.complete(params, deadlineMs),
    stream: () => upstream.stream(params, deadlineMs),
    models: () => upstream.models(null, deadlineMs),
  };
  const failure = await calls[name]().catch((error: unknown) => error);
  return { failure, waits };
}

describe.each(["complete", "stream", "models"] as const)("%s", (name) => {
  test("has one budget for all attempts and the waits between them", async () => {
    const { failure, waits } = await call(name, { budgetMs: 10_000 });
    expect(failure).toBeInstanceOf(UpstreamFailure);
    expect(failure).toMatchObject({ attempts: 5 });
    // The next would be 8 s, which end past the budget.
    expect(waits).toEqual([500, 1_000, 2_000, 4_000]);
  });

  test("takes no longer than its caller has left, whatever the budget", async () => {
    const { failure, waits } = await call(name, { deadlineMs: 5_000 });
    expect(failure).toMatchObject({ attempts: 4 });
    expect(waits).toEqual([500, 1_000, 2_000]);
  });
});
