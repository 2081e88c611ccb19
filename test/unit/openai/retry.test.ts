import { AppError, type ErrorCode } from "@tollgate/core/error";
import type { Failure } from "@tollgate/core/openai/error";
import { UpstreamFailure, withRetries } from "@tollgate/core/openai/retry";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const failure = (code: ErrorCode, changes: Partial<Failure> = {}): Failure => ({
  error: new AppError(code, code),
  retry: true,
  retryAfterMs: null,
  possiblyBilledAttempts: false,
  ...changes,
});

/** Runs against a clock that only sleeping and attempts move. */
async function run(
  outcomes: (Failure | { text: string })[],
  { maxAttempts = 3, budgetMs = 60_000, attemptMs = 100 } = {},
) {
  let nowMs = 0;
  const sleeps: number[] = [];
  const timeouts: number[] = [];
  const options = {
    attemptTimeoutMs: 30_000,
    maxAttempts,
    now: () => nowMs,
    random: () => 1,
    sleep: async (ms: number) => {
      sleeps.push(ms);
      nowMs += ms;
    },
  };
  const ended = await withRetries(options, budgetMs, async (timeoutMs) => {
    timeouts.push(timeoutMs);
    nowMs += attemptMs;
    const outcome = outcomes[timeouts.length - 1];
    if (!outcome) throw new Error("More attempts than expected.");
    return outcome;
  }).catch((error: unknown) => error);
  return { ended, sleeps, timeouts };
}

describe("withRetries", () => {
  test("tells how many attempts an answer took, and how many of them may have been billed", async () => {
    const { ended } = await run([
      failure("upstream_error", { possiblyBilledAttempts: true }),
      failure("rate_limited"),
      { text: "yes" },
    ]);
    expect(ended).toEqual({ text: "yes", attempts: 3, possiblyBilledAttempts: 1 });
  });

  test("backs off exponentially", async () => {
    const { sleeps } = await run([failure("upstream_error"), failure("upstream_error"), { text: "yes" }]);
    expect(sleeps).toEqual([500, 1000]);
  });

  test("waits as long as OpenAI says, however long, when there is time", async () => {
    const { sleeps } = await run([failure("rate_limited", { retryAfterMs: 120_000 }), { text: "yes" }], {
      budgetMs: 600_000,
    });
    expect(sleeps).toEqual([120_000]);
  });

  test("gives up at once when OpenAI says to wait past the deadline", async () => {
    const { ended, sleeps } = await run([failure("rate_limited", { retryAfterMs: 120_000 })]);
    expect(ended).toBeInstanceOf(UpstreamFailure);
    expect(sleeps).toEqual([]);
  });

  test("does not retry what a retry cannot mend", async () => {
    const { ended } = await run([failure("upstream_quota", { retry: false })]);
    expect(ended).toMatchObject({ attempts: 1, error: { code: "upstream_quota", message: "upstream_quota" } });
  });

  test("says after how many attempts it gave up", async () => {
    const { ended } = await run([failure("upstream_error"), failure("upstream_error"), failure("upstream_error")]);
    expect(ended).toMatchObject({ attempts: 3, error: { message: "upstream_error (after 3 attempts)" } });
  });

  test("never gives an attempt more time than is left", async () => {
    const { timeouts } = await run([failure("upstream_error"), { text: "yes" }], {
      budgetMs: 20_000,
      attemptMs: 10_000,
    });
    expect(timeouts).toEqual([20_000, 9_500]);
  });

  test("ends within its time, however long attempts take and whatever OpenAI asks to wait", async () => {
    const attempt = fc.record({
      /** Of the time that it is given. */
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 400_000 })),
    });
    const times = {
      attemptTimeoutMs: fc.integer({ min: 1, max: 300_000 }),
      budgetMs: fc.integer({ min: 0, max: 900_000 }),
    };
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          ...times,
          attempts: fc.array(attempt, { minLength: 1, maxLength: 10 }),
          random: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        async ({ attemptTimeoutMs, budgetMs, attempts, random }) => {
          let nowMs = 0;
          let tried = 0;
          const options = {
            attemptTimeoutMs,
            maxAttempts: attempts.length,
            now: () => nowMs,
            random: () => random,
            sleep: async (ms: number) => {
              nowMs += ms;
            },
          };
          const fails = async (timeoutMs: number) => {
            const { share, retryAfterMs } = attempts[tried++] ?? { share: 0, retryAfterMs: null };
            nowMs += share * timeoutMs;
            return failure("rate_limited", { retryAfterMs });
          };
          await expect(withRetries(options, budgetMs, fails)).rejects.toBeInstanceOf(UpstreamFailure);
          expect(nowMs).toBeLessThanOrEqual(budgetMs);
          expect(tried).toBeLessThanOrEqual(attempts.length);
        },
      ),
    );
  });
});
