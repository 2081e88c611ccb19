import * as z from "zod";
import { modelName } from "../model/name.ts";
import { type CrossFieldRule, given, implies, notBoth } from "../validation/cross-field-rule.ts";
import { recordOf } from "../validation/record.ts";
import { metadata, schemaName } from "./basic-parameters.ts";
import { textContent } from "./message.ts";
import { functionCallChoice, functionDefinition, functionName, jsonSchema, tool, toolChoice } from "./tool.ts";

// Types and ranges of OpenAI's "Create chat completion" reference and of its client 7.57, read in November 2026.

export const responseFormat = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("text") }),
    z.strictObject({ type: z.literal("json_object") }),
    z.strictObject({
      type: z.literal("json_schema"),
      json_schema: z.strictObject({
        name: functionName,
        description: z.string().nullish(),
        schema: jsonSchema.optional(),
        strict: z.boolean().nullish(),
      }),
    }),
  ])
  .meta({
    id: "ResponseFormat",
    description:
      "What the answer looks like. A `strict` schema that OpenAI could not keep to is 400 `invalid_schema` and costs nothing; " +
      "an answer that does not fit its schema is 502 `invalid_output`.",
  });

export type ResponseFormat = z.infer<typeof responseFormat>;

const audio = z.strictObject({
  format: z.enum(["wav", "aac", "mp3", "flac", "opus", "pcm16"]),
  voice: z.union([z.string(), z.strictObject({ id: z.string() })]),
});

const moderationMode = z.strictObject({ mode: z.enum(["score", "block"]) }).nullish();

const webSearchOptions = z.strictObject({
  search_context_size: z.enum(["low", "medium", "high"]).nullish(),
  user_location: z
    .strictObject({
      type: z.literal("approximate"),
      approximate: z.strictObject({
        city: z.string().optional(),
        country: z.string().optional(),
        region: z.string().optional(),
        timezone: z.string().optional(),
      }),
    })
    .nullish(),
});

/** OpenAI's own parameters, by its names. It takes `null` for any that is left out. */
const openaiParameters = {
  response_format: responseFormat.nullish(),
  audio: audio.nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  function_call: functionCallChoice.nullish(),
  functions: z.array(functionDefinition).max(128).nullish(),
  logit_bias: recordOf(
    z.string().regex(/^[0-9]+$/, "Name tokens by their number."),
    z.number().min(-100).max(100),
  ).nullish(),
  logprobs: z.boolean().nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  max_tokens: z.int().min(1).nullish().meta({
    description: "Sent as `max_completion_tokens` to models that only take that.",
  }),
  metadata: metadata.nullish(),
  modalities: z.array(z.enum(["text", "audio"])).nullish(),
  moderation: z
    .strictObject({
      model: z.string(),
      policy: z.strictObject({ input: moderationMode, output: moderationMode }).nullish(),
    })
    .nullish(),
  n: z.int().min(1).max(128).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  prediction: z.strictObject({ type: z.literal("content"), content: textContent }).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_options: z
    .strictObject({ mode: z.enum(["implicit", "explicit"]).optional(), ttl: z.enum(["30m", "12h"]).optional() })
    .nullish(),
  prompt_cache_retention: z.enum(["in_memory", "24h"]).nullish(),
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]).nullish(),
  safety_identifier: z.string().nullish(),
  seed: z.int().nullish(),
  service_tier: z.enum(["auto", "default", "flex", "scale", "priority", "fast"]).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4), z.null()]).optional(),
  store: z.boolean().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  tool_choice: toolChoice.nullish(),
  tools: z.array(tool).max(128).nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  user: z.string().nullish(),
  verbosity: z.enum(["low", "medium", "high"]).nullish(),
  web_search_options: webSearchOptions.nullish(),
};

/** How the answer comes. */
export const streamParameters = {
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({ include_obfuscation: z.boolean().nullish(), include_usage: z.boolean().nullish() })
    .nullish()
    .meta({ description: "Only with `stream: true`. The usage comes with the result in any case." }),
};

/** What `/chat` and `/vision` both take besides their input. */
export const parameters = { model: modelName.optional(), schema: schemaName.optional(), ...openaiParameters };

const parametersObject = z.strictObject(parameters);
export type Parameters = z.infer<typeof parametersObject>;

/** `top_logprobs` needs the flag itself, not just any value of it. */
const topLogprobsNeedsLogprobs: CrossFieldRule = {
  schema: implies(given("top_logprobs"), { required: ["logprobs"], properties: { logprobs: { const: true } } }),
  isBroken: ({ top_logprobs, logprobs }) => top_logprobs != null && logprobs !== true,
  param: "top_logprobs",
  message: "It needs logprobs: true.",
};

/** What OpenAI refuses of combinations; for `withRules`. */
export const parameterRules: readonly CrossFieldRule[] = [
  notBoth("schema", "response_format"),
  notBoth("max_tokens", "max_completion_tokens"),
  topLogprobsNeedsLogprobs,
];
