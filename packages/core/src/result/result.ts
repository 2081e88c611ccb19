import * as z from "zod";
import { keyBudget } from "../budget/schema.ts";
import { type AppError, type ErrorCode, isErrorCode } from "../error.ts";
import { detail } from "../image/detail.ts";
import { parseExactly } from "../json/exact.ts";
import { isJsonObject } from "../json/object.ts";
import { tryJson } from "../json/try.ts";
import { textIn } from "../openai/accumulate.ts";
import { formatUsd } from "../usage/cost.ts";

/**
 *   awaiting_upload ──▶ running ──▶ succeeded | refused | truncated | filtered     answers that OpenAI gave and billed
 *                          │  ▲
 *                          ▼  │ a passing failure may be tried again
 *                        failed
 */
export const statuses = [
  "awaiting_upload",
  "running",
  "succeeded",
  "refused",
  "truncated",
  "filtered",
  "failed",
] as const;

export const kinds = ["chat", "vision"] as const;

export const sources = ["http", "s3", "openai"] as const;

const usage = z.object({
  promptTokens: z.int(),
  completionTokens: z.int(),
  totalTokens: z.int(),
  cachedTokens: z.int(),
  cacheWriteTokens: z.int(),
  reasoningTokens: z.int(),
  hasAudio: z.literal(true).optional(),
  audioPromptTokens: z.int().optional(),
  audioCompletionTokens: z.int().optional(),
});

/** What was asked for when an upload was announced. Kept with its result: a later image under the same key is asked about alike. */
export const uploadSettings = z.object({
  prompt: z.string().optional(),
  detail: detail.optional(),
  schema: z.string().optional(),
  model: z.string().optional(),
  /** The key that announced it, and what holds for each image that comes. */
  keyId: z.string().optional(),
  rpm: z.int().optional(),
  budget: keyBudget.optional(),
});

export type UploadSettings = z.infer<typeof uploadSettings>;

const image = z.object({
  bucket: z.string().nullable(),
  key: z.string().nullable(),
  format: z.string().nullable(),
  width: z.int().nullable(),
  height: z.int().nullable(),
  sizeBytes: z.int().nullable(),
  /** Of the object that was analysed: another may lie under its key by now. Not shown. */
  etag: z.string().optional(),
  /** What the object was analysed as: a hash that the same content has again. Not shown. */
  content: z.string().optional(),
});

export type ResultImage = z.infer<typeof image>;

/** What became of one choice of several. */
const choiceVerdict = z.object({
  status: z.enum(["succeeded", "refused", "truncated", "filtered", "failed"]),
  /** Where its output does not fit. */
  problems: z.array(z.string()).optional(),
});

export type ChoiceOutcome = z.infer<typeof choiceVerdict>;

/** A result as it is stored, its keys and lease aside. */
export const storedResult = z.object({
  id: z.string(),
  kind: z.enum(kinds),
  source: z.enum(sources),
  status: z.enum(statuses),
  owner: z.string(),
  model: z.string(),
  schema: z.string().nullable(),
  /** Whether `content` is JSON that was asked for, and is shown parsed as `output`. */
  structured: z.boolean(),
  /** The most output tokens that OpenAI was asked for, where the request named no maximum and its key's budget needs one. */
  outputLimit: z.int().optional(),
  /** Only of an answer with several choices, in its order: `status` is the worst of theirs. */
  choices: z.array(choiceVerdict).optional(),
  usage: usage.nullable(),
  /** OpenAI's own usage never came. */
  usageEstimated: z.boolean().optional(),
  /** null: not priced, or not billed. */
  costNanoUsd: z.int().nullable(),
  openai: z
    .object({
      id: z.string().nullable(),
      requestId: z.string().nullable(),
      attempts: z.int(),
      serviceTier: z.string().nullable(),
    })
    .nullable(),
  image: image.nullable(),
  error: z
    .object({ code: z.custom<ErrorCode>(isErrorCode), message: z.string(), param: z.string().nullable() })
    .nullable(),
  metadata: z.record(z.string(), z.string()),
  createdAt: z.string(),
  completedAt: z.string().nullable(),
  latencyMs: z.int().nullable(),
  upload: uploadSettings.optional(),
  /**
   * Only of a result whose id was handed out before the work began (`Prefer: respond-async`): where its request waits, and the
   * key that it came with.
   */
  deferred: z.object({ requestKey: z.string(), keyId: z.string().optional(), budget: keyBudget.optional() }).optional(),
});

/** A result without OpenAI's answer, which lies beside it or in S3. */
export type StoredResult = z.infer<typeof storedResult>;

/** `answer` is OpenAI's body to the byte; `content`, `tool_calls` and the rest are read from it. */
export type Result = StoredResult & { answer: string | null };

/** A result before OpenAI was asked. */
export const initialResult = (
  known: Pick<StoredResult, "id" | "kind" | "source" | "owner" | "model" | "schema" | "image" | "metadata" | "upload">,
  status: "running" | "awaiting_upload",
  now: Date,
): StoredResult => ({
  ...known,
  status,
  structured: false,
  usage: null,
  costNanoUsd: null,
  openai: null,
  error: null,
  createdAt: now.toISOString(),
  completedAt: null,
  latencyMs: null,
});

/** An error as its result keeps it. */
export const storedErrorOf = ({ code, message, param }: AppError) => ({ code, message, param });

/** A result as the API shows it. */
export function presentResult(result: Result) {
  const choices = presentChoices(result);
  const first = choices[0]?.shown;
  const shown = {
    id: result.id,
    object: "result" as const,
    kind: result.kind,
    source: result.source,
    status: result.status,
    owner: result.owner,
    model: result.model,
    schema: result.schema,
    output: first?.output ?? null,
    content: first?.content ?? null,
    refusal: first?.refusal ?? null,
    tool_calls: first?.tool_calls ?? null,
    ...(first?.function_call !== undefined && { function_call: first.function_call }),
    ...(first?.audio !== undefined && { audio: first.audio }),
    finish_reason: first?.finish_reason ?? null,
    ...(result.status === "truncated" && result.outputLimit && { output_limit: result.outputLimit }),
    ...(first?.logprobs !== undefined && { logprobs: first.logprobs }),
    ...(choices.length > 1 && { choices: choices.map(({ shown, others }) => withOthers(shown, others)) }),
    usage: result.usage && {
      prompt_tokens: result.usage.promptTokens,
      completion_tokens: result.usage.completionTokens,
      total_tokens: result.usage.totalTokens,
      cached_tokens: result.usage.cachedTokens,
      reasoning_tokens: result.usage.reasoningTokens,
      ...(result.usageEstimated && { estimated: true }),
    },
    cost: result.usage && {
      usd: result.costNanoUsd === null ? null : formatUsd(result.costNanoUsd),
      priced: result.costNanoUsd !== null,
    },
    openai: result.openai && {
      id: result.openai.id,
      request_id: result.openai.requestId,
      attempts: result.openai.attempts,
      service_tier: result.openai.serviceTier,
    },
    image: result.image && {
      bucket: result.image.bucket,
      key: result.image.key,
      format: result.image.format,
      width: result.image.width,
      height: result.image.height,
      size_bytes: result.image.sizeBytes,
    },
    error: result.error,
    metadata: result.metadata,
    created_at: result.createdAt,
    completed_at: result.completedAt,
    latency_ms: result.latencyMs,
  };
  return withOthers(shown, choices[0]?.others);
}

/** The parts of a message that have a name of ours. What else it has is shown as it is. */
const ownParts = new Set(["role", "content", "refusal", "tool_calls", "function_call", "audio"]);

function presentChoices({ answer, structured, status, choices: verdicts }: Result) {
  const body = answer === null ? null : tryJson(answer.trim());
  const choices = isJsonObject(body) && Array.isArray(body.choices) ? body.choices.filter(isJsonObject) : [];
  return choices.map(({ index, finish_reason, logprobs, message: said }, at) => {
    const message = isJsonObject(said) ? said : {};
    const verdict = verdicts?.[at];
    const fits = (verdict?.status ?? status) === "succeeded";
    const content = textIn(message.content);
    const shown = {
      index: typeof index === "number" ? index : at,
      ...(verdict && { status: verdict.status }),
      ...(verdict?.problems && { problems: verdict.problems }),
      // To the digit, as the model wrote it.
      output: structured && fits ? tryJson(content?.trim() ?? "", parseExactly) : null,
      content,
      refusal: textIn(message.refusal),
      tool_calls: Array.isArray(message.tool_calls) ? message.tool_calls.map(withTextArguments) : null,
      ...(message.function_call != null && { function_call: message.function_call }),
      ...(message.audio != null && { audio: message.audio }),
      finish_reason: typeof finish_reason === "string" ? finish_reason : null,
      ...(logprobs != null && { logprobs }),
    };
    const others = Object.entries(message).filter(([name, value]) => !ownParts.has(name) && !isEmpty(value));
    return { shown, others };
  });
}

/** Not worth showing: OpenAI answers `annotations: []` to every request. */
const isEmpty = (value: unknown): boolean => value == null || (Array.isArray(value) && value.length === 0);

/** Fields that we do not know, but for those whose names are ours. */
const withOthers = <T extends object>(shown: T, others: [string, unknown][] = []): T => ({
  ...shown,
  ...Object.fromEntries(others.filter(([name]) => !reserved.has(name) && !Object.hasOwn(shown, name))),
});

/** Ours, though not every result or choice has them. */
const reserved = new Set([
  "function_call",
  "audio",
  "logprobs",
  "choices",
  "index",
  "status",
  "problems",
  "output_limit",
]);

/** Some servers write the arguments as an object; OpenAI's clients expect text. */
function withTextArguments(call: unknown): unknown {
  if (!isJsonObject(call) || !isJsonObject(call.function) || !isJsonObject(call.function.arguments)) return call;
  return { ...call, function: { ...call.function, arguments: JSON.stringify(call.function.arguments) } };
}
