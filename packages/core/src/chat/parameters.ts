import * as z from "zod";

// Types and ranges of OpenAI's "Create chat completion" reference, read in November 2026.

const text = z.strictObject({ type: z.literal("text"), text: z.string() });
const textContent = z.union([z.string(), z.array(text).min(1)]);

export const detail = z.enum(["low", "high", "auto"]);

const imageUrl = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.strictObject({
    url: z.string().regex(/^(https?:\/\/|data:)/, "Give an http(s) URL or a data: URL with base64."),
    detail: detail.optional(),
  }),
});

const inputAudio = z.strictObject({
  type: z.literal("input_audio"),
  input_audio: z.strictObject({ data: z.string(), format: z.enum(["wav", "mp3"]) }),
});

const file = z.strictObject({
  type: z.literal("file"),
  file: z.strictObject({
    file_data: z.string().optional(),
    file_id: z.string().optional(),
    filename: z.string().optional(),
  }),
});

const refusal = z.strictObject({ type: z.literal("refusal"), refusal: z.string() });
const name = z.string().optional();
const functionCall = z.strictObject({ name: z.string(), arguments: z.string() });

const toolCall = z.discriminatedUnion("type", [
  z.strictObject({ id: z.string(), type: z.literal("function"), function: functionCall }),
  z.strictObject({
    id: z.string(),
    type: z.literal("custom"),
    custom: z.strictObject({ name: z.string(), input: z.string() }),
  }),
]);

export const message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("system"), content: textContent, name }),
  z.strictObject({ role: z.literal("developer"), content: textContent, name }),
  z.strictObject({
    role: z.literal("user"),
    content: z.union([z.string(), z.array(z.discriminatedUnion("type", [text, imageUrl, inputAudio, file])).min(1)]),
    name,
  }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.union([z.string(), z.array(z.discriminatedUnion("type", [text, refusal])).min(1), z.null()]).optional(),
    refusal: z.string().nullish(),
    audio: z.strictObject({ id: z.string() }).nullish(),
    tool_calls: z.array(toolCall).min(1).optional(),
    function_call: functionCall.nullish(),
    name,
  }),
  z.strictObject({ role: z.literal("tool"), content: textContent, tool_call_id: z.string() }),
  z.strictObject({ role: z.literal("function"), content: z.string().nullable(), name: z.string() }),
]);

export type Message = z.infer<typeof message>;

const functionName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "Use 1 to 64 letters, digits, _ or -.");

const functionDefinition = z.strictObject({
  name: functionName,
  description: z.string().optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
  strict: z.boolean().nullish(),
});

const tool = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("function"), function: functionDefinition }),
  z.strictObject({
    type: z.literal("custom"),
    custom: z.strictObject({
      name: z.string(),
      description: z.string().optional(),
      format: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
]);

const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.strictObject({ type: z.literal("function"), function: z.strictObject({ name: z.string() }) }),
  z.strictObject({ type: z.literal("custom"), custom: z.strictObject({ name: z.string() }) }),
  z.strictObject({ type: z.literal("allowed_tools"), allowed_tools: z.record(z.string(), z.unknown()) }),
]);

export const responseFormat = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text") }),
  z.strictObject({ type: z.literal("json_object") }),
  z.strictObject({
    type: z.literal("json_schema"),
    json_schema: z.strictObject({
      name: functionName,
      description: z.string().optional(),
      schema: z.record(z.string(), z.unknown()),
      strict: z.boolean().nullish(),
    }),
  }),
]);

export type ResponseFormat = z.infer<typeof responseFormat>;

export const metadata = z
  .record(z.string().max(64, "A metadata key has at most 64 characters."), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, "At most 16 pairs.");

/** What `/chat` and `/vision` both take besides their input, by OpenAI's own names. */
export const parameters = {
  model: z.string().min(1).max(256).optional(),
  schema: z.string().optional(),
  response_format: responseFormat.optional(),
  audio: z.record(z.string(), z.unknown()).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  function_call: z.union([z.enum(["none", "auto"]), z.strictObject({ name: z.string() })]).optional(),
  functions: z.array(functionDefinition).min(1).max(128).optional(),
  logit_bias: z.record(z.string().regex(/^\d+$/), z.int().min(-100).max(100)).nullish(),
  logprobs: z.boolean().nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  max_tokens: z.int().min(1).nullish(),
  metadata: metadata.nullish(),
  modalities: z.array(z.enum(["text", "audio"])).nullish(),
  n: z.int().min(1).max(128).nullish(),
  parallel_tool_calls: z.boolean().optional(),
  prediction: z.record(z.string(), z.unknown()).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  prompt_cache_key: z.string().optional(),
  prompt_cache_retention: z.string().nullish(),
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).nullish(),
  safety_identifier: z.string().optional(),
  seed: z.int().nullish(),
  service_tier: z.enum(["auto", "default", "flex", "scale", "priority"]).nullish(),
  stop: z.union([z.string(), z.array(z.string()).min(1).max(4), z.null()]).optional(),
  store: z.boolean().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  tool_choice: toolChoice.optional(),
  tools: z.array(tool).min(1).max(128).optional(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  user: z.string().optional(),
  verbosity: z.enum(["low", "medium", "high"]).nullish(),
  web_search_options: z.record(z.string(), z.unknown()).optional(),
};

const parametersObject = z.strictObject(parameters);
export type Parameters = z.infer<typeof parametersObject>;

/** o-series, gpt-5 and later: they take `max_completion_tokens` and refuse `max_tokens`. */
export const isReasoningModel = (model: string): boolean => /^(o\d|gpt-([5-9]|\d{2}))/.test(model);
