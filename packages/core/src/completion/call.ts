import type { ChatCompletionStreamOptions } from "openai/resources/chat/completions";
import type { OpenAIRequest } from "../openai/verbatim.ts";
import type { OutputFormat } from "../structured/evaluate.ts";

/** OpenAI's request, in which an image's `url` may be an `InlineImage`, and what its answer has to look like. */
export interface ChatCall extends OpenAIRequest {
  format: OutputFormat;
  model: string;
  schema: string | null;
  /** Sent only where the answer is streamed. */
  streamOptions?: ChatCompletionStreamOptions | undefined;
}
