import { isJsonObject } from "../json/object.ts";

type Fields = Record<string, unknown>;

/** A whole answer as the chunks of a stream: one for each choice, and one with the usage and no choices. */
export function chunksOf(body: Fields): (Fields & { choices: Fields[] })[] {
  const head = { ...body, object: "chat.completion.chunk" };
  const choices = Array.isArray(body.choices) ? body.choices.filter(isJsonObject) : [];
  return [
    ...choices.map(({ message, ...choice }) => ({
      ...head,
      choices: [{ ...choice, delta: deltaOf(message) }],
      usage: null,
    })),
    { ...head, choices: [] },
  ];
}

function deltaOf(message: unknown): Fields {
  if (!isJsonObject(message)) return {};
  const { tool_calls, ...fields } = message;
  if (!Array.isArray(tool_calls)) return message;
  return { ...fields, tool_calls: tool_calls.map((call: object, index) => ({ index, ...call })) };
}
