import type { ErrorCode } from "../error.ts";
import type { Failure } from "./error.ts";

/** One call of OpenAI, when it is over. */
export interface Call {
  model: string;
  /** Until the last byte, or until it failed. */
  latencyMs: number;
  /** null when it was answered. */
  code: ErrorCode | null;
}

export type OnCall = (call: Call) => void;

/** Follows one call to its end, which it tells of once. What goes through it is not changed. */
export function followCall(model: string, onCall: OnCall, now: () => number) {
  const startedMs = now();
  const end = (code: ErrorCode | null) => onCall({ model, latencyMs: now() - startedMs, code });
  return {
    answered<T>(answer: T): T {
      end(null);
      return answer;
    },
    failed(failure: Failure): Failure {
      end(failure.error.code);
      return failure;
    },
    /**
     * For an answer that comes in pieces: it is answered when they have all been read. `codeOf`: what an error means that
     * ends them; null when the answer is whole all the same.
     */
    async *pieces<T>(pieces: AsyncIterable<T>, codeOf: (error: unknown) => ErrorCode | null): AsyncGenerator<T> {
      let code: ErrorCode | null = "upstream_error";
      try {
        yield* pieces;
        code = null;
      } catch (error) {
        code = codeOf(error);
        throw error;
      } finally {
        end(code);
      }
    },
  };
}
