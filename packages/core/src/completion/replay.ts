import { AppError } from "../error.ts";
import type { Claim } from "../result/claim.ts";
import type { Result } from "../result/result.ts";
import type { Performed } from "./job.ts";

/** What a claim that won nothing answers. Throws when that is an error. */
export function answerFromClaim(claimed: Exclude<Claim, { outcome: "claimed" }>, id: string): Performed {
  if (claimed.outcome === "mismatch") {
    throw new AppError(
      "idempotency_mismatch",
      "This Idempotency-Key was used for another request. Use a new key, or repeat the request unchanged.",
      { param: "Idempotency-Key" },
    );
  }
  if (claimed.outcome === "in_progress") {
    throw new AppError("in_progress", "This request is still being worked on. Ask again later, or read its result.", {
      retryAfterSeconds: claimed.retryAfterSeconds,
      resultId: id,
    });
  }
  return answerFromStored(claimed.result, id);
}

/** A result in its final state: the answer, or the error that it ended with. */
export function answerFromStored(result: Result | null, id: string, replayed = true): Performed {
  if (!result) throw new AppError("not_found", "The result was deleted while it was being made.");
  if (result.status === "running") {
    throw new AppError("in_progress", "Another attempt has taken over this request.", {
      retryAfterSeconds: 5,
      resultId: id,
    });
  }
  if (result.error) {
    const { code, message, param } = result.error;
    throw new AppError(code, message, { param: param ?? undefined, resultId: id });
  }
  return { result, replayed };
}
