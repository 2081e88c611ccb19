import * as z from "zod";
import { keyBudget } from "../budget/schema.ts";
import { type ErrorCode, isErrorCode } from "../error.ts";
import { interpreted } from "../interpreted.ts";
import { formatUsd } from "../usage/cost.ts";
import { detail } from "../vision/detail.ts";

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
  /** Of the key that announced it. */
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
});

export type ResultImage = z.infer<typeof image>;

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
   * budget of the key that it came with.
   */
  deferred: z.object({ requestKey: z.string(), budget: keyBudget.optional() }).optional(),
});

/** `answer` is OpenAI's body to the byte; `content`, `tool_calls` and the rest are read from it. */
export type Result = z.infer<typeof storedResult> & { answer: string | null };

/** The parts of OpenAI's answer that a result shows. Its other fields stay in the stored body. */
const completion = z.object({
  choices: z
    .array(
      z.object({
        index: z.int().default(0),
        finish_reason: z.string().nullable().default(null),
        logprobs: z.unknown().optional(),
        message: z.object({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          tool_calls: z.array(z.unknown()).nullish(),
          function_call: z.unknown().optional(),
          audio: z.unknown().optional(),
        }),
      }),
    )
    .default([]),
});

/** A result as the API shows it. */
export function presentResult(result: Result) {
  const choices = presentChoices(result);
  const first = choices[0];
  return {
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
    ...(first?.function_call != null && { function_call: first.function_call }),
    ...(first?.audio != null && { audio: first.audio }),
    finish_reason: first?.finish_reason ?? null,
    ...(first?.logprobs != null && { logprobs: first.logprobs }),
    ...(choices.length > 1 && { choices }),
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
}

function presentChoices({ answer, structured, status }: Result) {
  if (answer === null) return [];
  const parsed = completion.safeParse(tryJson(answer), interpreted);
  if (!parsed.success) return [];
  return parsed.data.choices.map(({ index, finish_reason, logprobs, message }) => ({
    index,
    output: structured && status === "succeeded" ? tryJson(message.content ?? "") : null,
    content: message.content ?? null,
    refusal: message.refusal ?? null,
    tool_calls: message.tool_calls ?? null,
    ...(message.function_call != null && { function_call: message.function_call }),
    ...(message.audio != null && { audio: message.audio }),
    finish_reason,
    ...(logprobs != null && { logprobs }),
  }));
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text.trim());
  } catch {
    return null;
  }
}
