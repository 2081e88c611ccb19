import { z } from "zod";

/** What the handlers that use zod take, however they ask OpenAI. */
export const ChatRequest = z.object({
  model: z.string().default("gpt-4o-mini"),
  messages: z.array(z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() })).min(1),
});
