import type { Mutant } from "./mutants.ts";

/** Answers which test fails on a mutant, `file › name`, or null. Throws when the tests cannot even run on it. */
export type Tests = (mutant: Mutant) => Promise<string | null>;

export interface Outcome {
  mutant: Mutant;
  /** Null for a survivor. */
  noticedBy: string | null;
  /** Why the tests could not run: no test failed, so that the mutant survives. */
  remark: string | null;
}

/** Tries the tests on one mutant after the other. Throws when the mutants are not to blame: `signal` is aborted. */
export async function* tryEach(mutants: Mutant[], tests: Tests, signal: AbortSignal): AsyncGenerator<Outcome> {
  for (const mutant of mutants) {
    yield await tests(mutant).then(
      (noticedBy) => ({ mutant, noticedBy, remark: null }),
      (error: unknown) => {
        signal.throwIfAborted();
        return { mutant, noticedBy: null, remark: error instanceof Error ? error.message : String(error) };
      },
    );
  }
}
