import * as z from "zod";
import { metadata } from "../chat/metadata.ts";
import { modelName } from "../model/name.ts";

/**
 * What `POST /v1/chat/completions` reads of a request. Everything else passes through: OpenAI itself judges it, so that a
 * parameter of tomorrow works today.
 */
export const chatCompletionRequest = z.looseObject({
  model: modelName,
  messages: z.array(z.looseObject({ role: z.string() })).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  metadata: metadata.nullish(),
});

export type ChatCompletionRequest = z.infer<typeof chatCompletionRequest>;
