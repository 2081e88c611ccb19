import { type CrossFieldRule, implies } from "../validation/cross-field-rule.ts";
import type { Message } from "./message.ts";

/** OpenAI refuses `json_object` unless the prompt contains this word. */
const word = /[Jj][Ss][Oo][Nn]/;
const pattern = word.source;

const asksForJson = (format: unknown): boolean =>
  typeof format === "object" && format !== null && "type" in format && format.type === "json_object";

/** What JSON mode is on condition of. */
const jsonModeNeeds = (consequence: CrossFieldRule["schema"]): CrossFieldRule["schema"] =>
  implies(
    {
      required: ["response_format"],
      properties: { response_format: { type: "object", properties: { type: { const: "json_object" } } } },
    },
    consequence,
  );

const text = { properties: { type: { const: "text" }, text: { pattern } } };

/** For requests whose prompt is `messages`. */
export const jsonModeNeedsWordInMessages: CrossFieldRule = {
  schema: jsonModeNeeds({
    properties: {
      messages: {
        contains: {
          required: ["content"],
          properties: {
            content: {
              anyOf: [
                { type: "string", pattern },
                { type: "array", contains: { required: ["text"], ...text } },
              ],
            },
          },
        },
      },
    },
  }),
  isBroken: ({ response_format, messages }) => asksForJson(response_format) && !mentionsJson(messages as Message[]),
  param: "messages",
  message: 'response_format json_object needs the word "JSON" in some message, or OpenAI refuses it.',
};

/** For requests whose prompt is `prompt`. */
export const jsonModeNeedsWordInPrompt: CrossFieldRule = {
  schema: jsonModeNeeds({ required: ["prompt"], properties: { prompt: { pattern } } }),
  isBroken: ({ response_format, prompt }) => asksForJson(response_format) && !word.test(String(prompt ?? "")),
  param: "prompt",
  message: 'response_format json_object needs the word "JSON" in the prompt, or OpenAI refuses it.',
};

const mentionsJson = (messages: Message[]): boolean =>
  messages.some(({ content }) =>
    typeof content === "string"
      ? word.test(content)
      : content?.some((part) => part.type === "text" && word.test(part.text)),
  );
