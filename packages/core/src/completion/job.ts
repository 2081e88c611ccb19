import type { ChatCompletionStreamOptions } from "openai/resources/chat/completions";
import type { KeyBudget } from "../budget/schema.ts";
import type { CallerKey } from "../key/limits.ts";
import type { Completion, Upstream } from "../openai/client.ts";
import type { Usage } from "../openai/usage.ts";
import type { OpenAIRequest, Verbatim } from "../openai/verbatim.ts";
import type { Lease } from "../result/claim.ts";
import type { StoredItem } from "../result/item.ts";
import { initialResult, type Result, type ResultImage } from "../result/result.ts";
import type { SettlementQueue } from "../result/settle-later.ts";
import type { ResultStore } from "../result/store.ts";
import type { OutputFormat } from "../structured/evaluate.ts";
import type { PriceOverrides } from "../usage/price.ts";

export interface PerformDeps {
  store: ResultStore;
  upstream: Upstream;
  prices: PriceOverrides;
  /** Where settlements wait that the table did not take. */
  settlementQueue: SettlementQueue;
  now: () => Date;
}

/** One piece of work that may be asked for many times and is paid for once. */
export interface Job {
  id: string;
  kind: Result["kind"];
  source: Result["source"];
  owner: string;
  /** Whose limits hold; null for an object that came from S3, where an owner needs no key. */
  key: CallerKey | null;
  model: string;
  schema: string | null;
  metadata: Record<string, string>;
  /** What was asked for when the upload of `image` was announced. */
  upload?: Result["upload"];
  image: ResultImage | null;
  requestHash: string | null;
  /** Makes OpenAI's request. Runs after the claim; an `AppError` that it throws ends the result. */
  prepare(lease: Lease): Promise<Prepared | Replayed> | Prepared;
  /** Epoch milliseconds at which the function is stopped. */
  deadlineMs: number;
  /** How a failure ends: over HTTP the caller hears of it; the queue brings the work back. */
  onFailure: "fail" | "give_back";
}

export interface Prepared extends OpenAIRequest {
  format: OutputFormat;
  /** Sent only where the answer is streamed: OpenAI refuses them otherwise. */
  streamOptions?: ChatCompletionStreamOptions | undefined;
  /** What preparing found out. */
  model?: string;
  schema?: string | null;
  metadata?: Record<string, string>;
  image?: ResultImage | null;
  /** What the call is charged against, where that is not the budget of the job's key. */
  budget?: KeyBudget | undefined;
}

/** Preparing found that the work was done before: that result stands in for this one, which is forgotten. */
export interface Replayed {
  replayed: StoredItem;
}

export interface Performed {
  result: Result;
  /** The result was there already: nothing was asked of OpenAI. */
  replayed: boolean;
}

/** An attempt that holds its result. Whoever has one either finishes or fails it. */
export interface Attempt {
  lease: Lease;
  startedMs: number;
  result: Result;
  params: Prepared["params"];
  verbatim?: Verbatim | undefined;
  format: OutputFormat;
  streamOptions?: ChatCompletionStreamOptions | undefined;
  /** Epoch milliseconds by which OpenAI has to have answered, so that there is time to settle. */
  upstreamDeadlineMs: number;
  onFailure: Job["onFailure"];
  stopRenewing(): void;
}

/** An answer, which may be all that came of it. */
export interface Answered extends Completion {
  /** Stands in for the usage when none came. */
  estimate?: Usage;
}

/** The result that a job begins with. */
export const newResult = ({ id, kind, source, owner, model, schema, image, metadata, upload }: Job, now: Date) =>
  initialResult({ id, kind, source, owner, model, schema, image, metadata, upload }, "running", now);
