import { type Check, Unreachable } from "./check.ts";
import type { ProbeClient } from "./openai.ts";

/** A belief beside reality. `skipped` beliefs were not asked about, since the money was not to go that far. */
export interface Finding {
  topic: string;
  question: string;
  belief: string;
  reality: string | null;
  outcome: "agrees" | "differs" | "unanswered" | "skipped";
}

/**
 * Asks about one belief after the other, for as long as the money lasts.
 * @throws the signal's reason when it is aborted
 */
export async function* findings(
  checks: readonly Check[],
  openai: ProbeClient,
  options: { maxCostNanoUsd: number; signal: AbortSignal },
): AsyncGenerator<Finding> {
  for (const check of checks) {
    options.signal.throwIfAborted();
    const { topic, question, belief } = check;
    const found = (reality: string | null, outcome: Finding["outcome"]) => ({
      topic,
      question,
      belief,
      reality,
      outcome,
    });
    if (openai.costNanoUsd() + check.maxCostNanoUsd > options.maxCostNanoUsd) {
      yield found(null, "skipped");
      continue;
    }
    try {
      const reality = await check.ask(openai);
      const agrees = check.agrees?.(reality) ?? reality === belief;
      yield found(reality, agrees ? "agrees" : "differs");
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      yield found(error.message, "unanswered");
    }
  }
}

/** 1 where a belief is wrong; else 2 where one could not be asked about; else 0. */
export function statusOf(all: readonly Finding[]): number {
  if (all.some(({ outcome }) => outcome === "differs")) return 1;
  return all.some(({ outcome }) => outcome !== "agrees") ? 2 : 0;
}
