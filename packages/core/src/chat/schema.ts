import * as z from "zod";
import { message, parameters } from "./parameters.ts";

/** What `POST /chat` accepts. */
export const chatRequest = z.strictObject({
  messages: z.array(message).min(1, "Give at least one message."),
  ...parameters,
  stream: z.boolean().nullish(),
});

export type ChatRequest = z.infer<typeof chatRequest>;
