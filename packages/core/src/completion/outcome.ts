import { AppError } from "../error.ts";
import { usageFrom } from "../openai/usage.ts";
import { type ChoiceOutcome, storedErrorOf } from "../result/result.ts";
import type { Settlement } from "../result/settle.ts";
import { evaluate, type Outcome, worstOf } from "../structured/evaluate.ts";
import type { Problem } from "../structured/problem.ts";
import { billingOf } from "../usage/billing.ts";
import { costOf } from "../usage/cost.ts";
import { priceOf } from "../usage/price.ts";
import type { Answered, Attempt, PerformDeps } from "./job.ts";

/** What is read of OpenAI's body here: any of it may be missing, or of another type. */
interface Body {
  id?: unknown;
  model?: unknown;
  service_tier?: unknown;
  usage?: unknown;
  choices?: unknown;
}

/** What an answer of OpenAI's makes of an attempt. */
export function settlementOf(deps: PerformDeps, attempt: Attempt, completion: Answered): Settlement {
  const { result, params, format, startedMs } = attempt;
  const completedAt = deps.now();
  const body = completion.body as Body | null;
  const model = textOr(body?.model, result.model);
  const serviceTier = textOr(body?.service_tier, null);
  const exact = usageFrom(body?.usage);
  const usage = exact ?? completion.estimate ?? null;
  // A server may name what it loaded, or a deployment: the caller asked for a model that has a price.
  const rates = priceOf(model, completedAt, deps.prices) ?? priceOf(result.model, completedAt, deps.prices);
  const choices = Array.isArray(body?.choices) && body.choices.length > 0 ? body.choices : [undefined];
  const verdicts = choices.map((choice) =>
    evaluate({ message: choice?.message, finishReason: choice?.finish_reason, format }),
  );
  const verdict = worstOf(verdicts);
  const error = completion.broken ?? (verdict.status === "failed" ? invalidOutput(verdicts) : null);
  return {
    result: {
      ...result,
      status: error ? "failed" : verdict.status,
      model,
      structured: format.type !== "text",
      ...(verdicts.length > 1 && !completion.broken && { choices: verdicts.map(toldOfChoice) }),
      usage,
      ...(usage && !exact && { usageEstimated: true }),
      costNanoUsd: usage && rates ? costOf(usage, rates, serviceTier, billingOf(params)) : null,
      openai: {
        id: textOr(body?.id, null),
        requestId: completion.requestId,
        attempts: completion.attempts,
        serviceTier,
      },
      error: error && storedErrorOf(error),
      completedAt: completedAt.toISOString(),
      latencyMs: completedAt.getTime() - startedMs,
      answer: completion.text,
    },
    // An answer without usage was billed all the same.
    possiblyBilledAttempts: completion.possiblyBilledAttempts + (usage ? 0 : 1),
    completedAt,
  };
}

/** Tells where an answer does not fit, and in which choice. Never what it says: that is the caller's, in the result. */
function invalidOutput(verdicts: Outcome[]): AppError {
  const told = verdicts.flatMap((verdict, index) =>
    (verdict.status === "failed" ? verdict.problems : []).map((problem) =>
      verdicts.length > 1 ? `choices[${index}]: ${sentenceOf(problem)}` : sentenceOf(problem),
    ),
  );
  return new AppError("invalid_output", `OpenAI's answer is not what was asked for. ${told.slice(0, 3).join(" ")}`);
}

/** With 128 choices it still fits beside everything else of a result. */
const maxProblemLength = 300;

const toldOfChoice = (verdict: Outcome): ChoiceOutcome => ({
  status: verdict.status,
  ...(verdict.status === "failed" && {
    problems: verdict.problems.slice(0, 3).map((problem) => sentenceOf(problem).slice(0, maxProblemLength)),
  }),
});

const sentenceOf = ({ path, message }: Problem): string => (path ? `${path}: ${message}` : message);

/** An empty text says nothing. */
const textOr = <T>(value: unknown, otherwise: T) => (typeof value === "string" && value !== "" ? value : otherwise);
