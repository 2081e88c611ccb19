import type { ErrorCode } from "@tollgate/core/error";
import type { Call } from "@tollgate/core/openai/call";
import type { Observe } from "@tollgate/core/result/observe";
import type { Result } from "@tollgate/core/result/result";
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
export const createObserver = (stage: string): Observe => ({
  counted: (result, entries) => log("info", "settled", told(result), embedded(stage, valuesOf(entries))),
  handedOver: (result) =>
    log("warn", "settlement_handed_over", told(result), embedded(stage, { SettlementsHandedOver: 1 })),
  notKept: (result, error) => {
    const fields = { ...told(result), cause: causeOf(error) };
    log("error", "settlement_not_kept", fields, embedded(stage, { SettlementsNotKept: 1 }));
  },
  // What tells the operator is the function's own error.
  notSwept: (resultId, error) => log("error", "not_swept", { result_id: resultId, cause: causeOf(error) }),
});

export const createCallObserver =
  (stage: string) =>
  ({ model, latencyMs, code }: Call): void => {
    const failure = code && failureOf[code];
    const values = failure ? { [failure]: 1 } : code ? {} : { UpstreamLatencyMs: latencyMs };
    log(failure ? "warn" : "info", "openai_called", { model, code: code ?? undefined }, embedded(stage, values));
  };

const told = ({ id, owner, kind, source, model, status, error }: Omit<Result, "answer">) => ({
  ...{ result_id: id, owner, kind, source, model, status },
  code: error?.code,
});

/** A count of 0 is left out, as on the ledger. What is money there is a float here: enough for a graph and an alarm. */
function valuesOf(entries: LedgerEntry[]): Values {
  const sum = (counter: Counter) => entries.reduce((total, { counts }) => total + (counts[counter] ?? 0), 0);
  const counts = Object.entries(counterOf).map(([name, counter]) => [name, sum(counter)] as const);
  const all = [...counts, ["CostUsd", sum("cost_nano_usd") / 1e9] as const];
  return Object.fromEntries(all.filter(([, value]) => value !== 0));
}
