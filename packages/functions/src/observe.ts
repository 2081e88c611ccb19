import type { ErrorCode } from "@tollgate/core/error";
import { daysLeft, modelNamed } from "@tollgate/core/model/model";
import type { Call } from "@tollgate/core/openai/call";
import type { Observe } from "@tollgate/core/result/observe";
import type { StoredResult } from "@tollgate/core/result/result";
import type { Counter, LedgerEntry } from "@tollgate/core/usage/ledger";
import { causeOf, log } from "./log.ts";
import { embedded, type MetricName, type Values } from "./metrics.ts";

/** Which counter of the ledger a metric repeats. */
const counterOf = {
  Requests: "requests",
  FailedRequests: "failed",
  PromptTokens: "prompt_tokens",
  CompletionTokens: "completion_tokens",
  UnpricedRequests: "unpriced_requests",
  UnaccountedAttempts: "unaccounted_attempts",
} satisfies { [name in MetricName]?: Counter };

const failureOf: { [code in ErrorCode]?: MetricName } = {
  upstream_error: "UpstreamErrors",
  upstream_timeout: "UpstreamErrors",
  rate_limited: "UpstreamRateLimits",
  upstream_auth: "UpstreamAuthFailures",
  upstream_quota: "UpstreamAuthFailures",
};

/** Lines in the log, with the metrics that CloudWatch reads from them. */
export const createObserver = (stage: string, clock = () => new Date()): Observe => {
  const warnOfEnd = createEndWarning();
  return {
    counted: (result, entries) => {
      const now = clock();
      log("info", "settled", logFields(result), embedded(stage, valuesOf(entries, now)));
      for (const { model, counts } of entries) if ((counts.requests ?? 0) > 0) warnOfEnd(model, now);
    },
    handedOver: (result) =>
      log("warn", "settlement_handed_over", logFields(result), embedded(stage, { SettlementsHandedOver: 1 })),
    notKept: (result, error) => {
      const fields = { ...logFields(result), cause: causeOf(error) };
      log("error", "settlement_not_kept", fields, embedded(stage, { SettlementsNotKept: 1 }));
    },
    // What tells the operator is the function's own error.
    notSwept: (resultId, error) => log("error", "not_swept", { result_id: resultId, cause: causeOf(error) }),
  };
};

export const createCallObserver =
  (stage: string) =>
  ({ model, latencyMs, code }: Call): void => {
    const failure = code && failureOf[code];
    const values = failure ? { [failure]: 1 } : code ? {} : { UpstreamLatencyMs: latencyMs };
    log(failure ? "warn" : "info", "openai_called", { model, code: code ?? undefined }, embedded(stage, values));
  };

const logFields = ({ id, owner, kind, source, model, status, error }: StoredResult) => ({
  ...{ result_id: id, owner, kind, source, model, status },
  code: error?.code,
});

/** How long before a model's end its requests are logged as a warning. */
const warnDays = 90;
/** How long before a model's end its requests count as `EndingModelRequests`. */
const alarmDays = 30;

/** The end of a model that is at most so many days away, or is over; null when there is none. */
function endOf(name: string, withinDays: number, now: Date) {
  const model = modelNamed(name)?.model;
  const left = model ? daysLeft(model, now) : null;
  if (!model?.ends || left === null || left > withinDays) return null;
  return { family: model.name, ends_on: model.ends.on, replacement: model.ends.replacement, days_left: left };
}

/** Writes one warning a day (UTC) for each model that ends soon or has ended. */
function createEndWarning() {
  /** By the catalogue's name: it has few, while callers choose any snapshot or fine-tuned model. */
  const warnedOn = new Map<string, string>();
  return (model: string, now: Date): void => {
    const end = endOf(model, warnDays, now);
    if (!end) return;
    const { family, ...fields } = end;
    const day = now.toISOString().slice(0, 10);
    if (warnedOn.get(family) === day) return;
    warnedOn.set(family, day);
    log("warn", "model_ends", { model, ...fields });
  };
}

/** A count of 0 is left out, as on the ledger. What is money there is a float here: enough for a graph and an alarm. */
function valuesOf(entries: LedgerEntry[], now: Date): Values {
  const sum = (counter: Counter, of = entries) => of.reduce((total, { counts }) => total + (counts[counter] ?? 0), 0);
  const counts = Object.entries(counterOf).map(([name, counter]) => [name, sum(counter)] as const);
  const ofEnding = entries.filter(({ model }) => endOf(model, alarmDays, now) !== null);
  const all = [
    ...counts,
    ["EndingModelRequests", sum("requests", ofEnding)] as const,
    ["CostUsd", sum("cost_nano_usd") / 1e9] as const,
  ];
  return Object.fromEntries(all.filter(([, value]) => value !== 0));
}
