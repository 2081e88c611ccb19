import { resultIdPattern } from "@tollgate/core/result/id";
import { kinds, sources, statuses } from "@tollgate/core/result/result";
import * as z from "zod";

// What the API answers with. Tests hold every response of the running stage against these.

const nullableText = z.string().nullable();
const count = z.int().min(0);
const resultId = z.string().regex(resultIdPattern);
const time = z.iso.datetime().meta({ examples: ["2026-11-22T09:00:00.000Z"] });
const dollars = z
  .string()
  .regex(/^[0-9]+\.[0-9]{9}$/)
  .meta({ description: "US dollars, exact to the nano-dollar." });

const tokens = z
  .strictObject({
    prompt_tokens: count.meta({ description: "Input, `cached_tokens` included." }),
    completion_tokens: count.meta({ description: "Output, `reasoning_tokens` included." }),
    total_tokens: count,
    cached_tokens: count,
    reasoning_tokens: count,
    estimated: z
      .literal(true)
      .optional()
      .meta({ description: "OpenAI's stream broke off before it told the usage: this is an estimate." }),
  })
  .meta({ id: "Usage", description: "What OpenAI counted and billed." });

const cost = z.strictObject({
  usd: dollars
    .nullable()
    .meta({ description: "null: no price of this model, its service tier or its audio is known, which is not free." }),
  priced: z.boolean(),
});

const toolCalls = z.array(z.unknown()).nullable().meta({ description: "As OpenAI wrote them." });

const answer = {
  output: z.unknown().meta({ description: "The content parsed, when JSON was asked for and fits; else null." }),
  content: nullableText,
  refusal: nullableText.meta({ description: "Why the model declined." }),
  tool_calls: toolCalls,
  function_call: z.unknown().optional().meta({ description: "Only where the deprecated `functions` were used." }),
  audio: z.unknown().optional().meta({ description: "Only where it was asked for: as OpenAI sent it." }),
  finish_reason: nullableText,
  logprobs: z.unknown().optional(),
};

/** What some servers say beside the content. */
const otherFields = z.unknown().meta({
  description:
    "Any other field of the answer's `message`, as it came: `annotations` of a web search, `reasoning_content`. One whose name is taken is left out.",
});

export const resultBody = z
  .object({
    id: resultId,
    object: z.literal("result"),
    kind: z.enum(kinds),
    source: z.enum(sources),
    status: z.enum(statuses).meta({
      description:
        "`succeeded`, `refused` (by the model), `truncated` (`max_tokens`) and `filtered` (OpenAI's content filter) were " +
        "answered and billed. `failed` has an `error`.",
    }),
    owner: z.string(),
    model: z.string().meta({ description: "The model that answered, by its exact name." }),
    schema: nullableText,
    ...answer,
    output_limit: count.optional().meta({
      description:
        "Only of an answer that is `truncated` although its request named no maximum: the output tokens that its key allowed it.",
    }),
    choices: z
      .array(
        z
          .object({
            index: z.int(),
            status: z
              .enum(["succeeded", "refused", "truncated", "filtered", "failed"])
              .optional()
              .meta({ description: "Of this choice alone. Left out where the answer broke off." }),
            problems: z
              .array(z.string())
              .optional()
              .meta({ description: "Where the output of a choice that `failed` does not fit." }),
            ...answer,
          })
          .catchall(otherFields),
      )
      .optional()
      .meta({
        description:
          "Every choice, when `n` asked for several; the fields above are the first one's. The result's own `status` is the " +
          "worst of theirs: failed, filtered, truncated, refused, succeeded.",
      }),
    usage: tokens.nullable(),
    cost: cost.nullable(),
    openai: z
      .strictObject({ id: nullableText, request_id: nullableText, attempts: count, service_tier: nullableText })
      .nullable(),
    image: z
      .strictObject({
        bucket: nullableText,
        key: nullableText,
        format: nullableText,
        width: z.int().nullable(),
        height: z.int().nullable(),
        size_bytes: z.int().nullable(),
      })
      .nullable(),
    error: z.strictObject({ code: z.string(), message: z.string(), param: nullableText }).nullable(),
    metadata: z.record(z.string(), z.string()),
    created_at: time,
    completed_at: time.nullable(),
    latency_ms: z.int().nullable(),
  })
  .catchall(otherFields)
  .meta({ id: "Result" });

export const resultListBody = z
  .strictObject({
    object: z.literal("list"),
    data: z.array(resultBody),
    has_more: z.boolean(),
    next_cursor: nullableText.meta({ description: "The `cursor` of the next page." }),
  })
  .meta({ id: "ResultList" });

export const deletedBody = z
  .strictObject({ id: resultId, object: z.literal("result"), deleted: z.literal(true) })
  .meta({ id: "DeletedResult" });

export const uploadBody = z
  .strictObject({
    id: resultId.meta({ description: "The id of the result that the image becomes." }),
    object: z.literal("upload"),
    url: z.string().meta({ description: "Where to POST the form (`multipart/form-data`)." }),
    fields: z.record(z.string(), z.string()).meta({ description: "The form's fields, to be sent before its `file`." }),
    expires_at: time,
    max_bytes: z.int(),
  })
  .meta({ id: "Upload" });

const sums = {
  requests: count,
  failed: count,
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  cached_tokens: count,
  reasoning_tokens: count,
  unpriced_requests: count.meta({ description: "Requests to models without a known price: not in `cost_usd`." }),
  estimated_requests: count.meta({ description: "Requests whose tokens and cost are estimates." }),
  unaccounted_attempts: count.meta({ description: "Attempts that OpenAI may have billed although no answer came." }),
  cost_usd: dollars,
};

export const usageReportBody = z
  .strictObject({
    object: z.literal("usage"),
    from: z.iso.date(),
    to: z.iso.date(),
    group_by: z.array(z.enum(["day", "model"])),
    data: z.array(z.strictObject({ day: z.iso.date().optional(), model: z.string().optional(), ...sums })),
    total: z.strictObject(sums),
  })
  .meta({ id: "UsageReport" });

export const schemaBody = z
  .strictObject({
    object: z.literal("schema"),
    name: z.string(),
    version: z.int(),
    description: z.string(),
    input: z.enum(["text", "image"]),
    instructions: z.string().meta({ description: "The system message of a request that brings none." }),
    schema: z.record(z.string(), z.unknown()).meta({ description: "JSON Schema of the result's `output`." }),
  })
  .meta({ id: "OutputSchema" });

export const schemaListBody = z
  .strictObject({ object: z.literal("list"), data: z.array(schemaBody) })
  .meta({ id: "OutputSchemaList" });

export const healthBody = z.strictObject({ status: z.literal("ok") });

export const errorBody = z
  .strictObject({
    error: z.strictObject({
      message: z.string(),
      type: z.enum(["invalid_request_error", "rate_limit_error", "server_error"]),
      param: nullableText.meta({
        description: "The field at fault, as a path in the request.",
        examples: ["messages[0].content"],
      }),
      code: z.string().meta({ description: "What to decide by: see the description of each status." }),
      result_id: resultId.optional().meta({ description: "The result that this error ended, or that is being made." }),
    }),
  })
  .meta({ id: "Error", description: "An error, in OpenAI's shape." });
