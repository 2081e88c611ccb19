import * as z from "zod";
import { withRules } from "../validation/cross-field-rule.ts";
import { jsonModeNeedsWordInMessages } from "./json-mode.ts";
import { message } from "./message.ts";
import { parameterRules, parameters, streamParameters } from "./parameters.ts";

/** What `POST /chat` accepts. */
export const chatRequest = withRules(
  z.strictObject({
    messages: z.array(message).min(1, "Give at least one message."),
    ...parameters,
    ...streamParameters,
  }),
  [...parameterRules, jsonModeNeedsWordInMessages],
).meta({ id: "ChatRequest" });

export type ChatRequest = z.infer<typeof chatRequest>;
