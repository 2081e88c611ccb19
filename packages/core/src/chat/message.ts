import * as z from "zod";
import { detail } from "../image/detail.ts";
import { needsOneOf, withRules } from "../validation/cross-field-rule.ts";

// Types and ranges of OpenAI's "Create chat completion" reference and of its client 7.57, read in November 2026.

/** Where the prompt cache may end, in models that let the caller say so. */
const promptCacheBreakpoint = z.strictObject({ mode: z.literal("explicit"), ttl: z.enum(["30m", "12h"]).optional() });
const cacheable = { prompt_cache_breakpoint: promptCacheBreakpoint.optional() };

const text = z.strictObject({ type: z.literal("text"), text: z.string(), ...cacheable });
export const textContent = z.union([z.string(), z.array(text)]);

/** An image's address: OpenAI fetches `http(s)`, and the bytes of a `data:` URL are looked at here. */
export const imageAddress = z
  .string()
  .regex(/^([Hh][Tt][Tt][Pp][Ss]?:\/\/|[Dd][Aa][Tt][Aa]:)/, "Give an http(s) URL or a data: URL with base64.")
  .meta({ description: "An `http(s)` URL, which OpenAI fetches, or `data:image/…;base64,…`." });

const imageUrl = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.strictObject({ url: imageAddress, detail: detail.optional() }),
  ...cacheable,
});

const inputAudio = z.strictObject({
  type: z.literal("input_audio"),
  input_audio: z.strictObject({ data: z.string(), format: z.enum(["wav", "mp3"]) }),
  ...cacheable,
});

const file = z.strictObject({
  type: z.literal("file"),
  file: z.strictObject({
    file_data: z.string().optional(),
    file_id: z.string().optional(),
    filename: z.string().optional(),
  }),
  ...cacheable,
});

const refusal = z.strictObject({ type: z.literal("refusal"), refusal: z.string() });
const functionCall = z.strictObject({ name: z.string(), arguments: z.string() });

/** OpenAI's own pattern, from its 400. */
const participant = z.string().regex(/^[^\s<|\\/>]+$/, "A name has no white space and none of < | \\ / >.");
const name = participant.nullish().meta({ description: "Tells participants of the same role apart." });

const toolCall = z.discriminatedUnion("type", [
  z.strictObject({ id: z.string(), type: z.literal("function"), function: functionCall }),
  z.strictObject({
    id: z.string(),
    type: z.literal("custom"),
    custom: z.strictObject({ name: z.string(), input: z.string() }),
  }),
]);

/** `annotations` is part of OpenAI's answers, so that an answer can be sent back as it came. */
const assistant = withRules(
  z.strictObject({
    role: z.literal("assistant"),
    content: z.union([z.string(), z.array(z.discriminatedUnion("type", [text, refusal])), z.null()]).optional(),
    refusal: z.string().nullish(),
    audio: z.strictObject({ id: z.string() }).nullish(),
    tool_calls: z.array(toolCall).nullish(),
    function_call: functionCall.nullish(),
    annotations: z.array(z.record(z.string(), z.unknown())).nullish(),
    name,
  }),
  [needsOneOf("content", "tool_calls", "function_call", "refusal", "audio")],
);

export const message = z
  .discriminatedUnion("role", [
    z.strictObject({ role: z.literal("system"), content: textContent, name }),
    z.strictObject({ role: z.literal("developer"), content: textContent, name }),
    z.strictObject({
      role: z.literal("user"),
      content: z.union([z.string(), z.array(z.discriminatedUnion("type", [text, imageUrl, inputAudio, file]))]),
      name,
    }),
    assistant,
    z.strictObject({ role: z.literal("tool"), content: textContent, tool_call_id: z.string(), name }),
    z.strictObject({ role: z.literal("function"), content: z.string().nullable(), name: participant }),
  ])
  .meta({ id: "Message", description: "One message of the conversation, as OpenAI's chat completions take it." });

export type Message = z.infer<typeof message>;
