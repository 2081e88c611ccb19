import { isJsonObject } from "../json/object.ts";
import { isNothing, joinFields } from "./join.ts";
import { createToolCalls } from "./tool-calls.ts";
import { usageFrom } from "./usage.ts";

type Fields = Record<string, unknown>;

interface Choice {
  index: number;
  content: string | null;
  refusal: string | null;
  toolCalls: ReturnType<typeof createToolCalls>;
  /** The deprecated form of one tool call. */
  functionCall: Fields | null;
  audio: Fields | null;
  /** The fields of the message that are not known here, by name. */
  otherFields: Map<string, unknown>;
  finishReason: unknown;
  logprobs: { content: unknown[] | null; refusal: unknown[] | null } | null;
  /** The fields of the choice itself that are not known here. */
  otherChoiceFields: Map<string, unknown>;
}

const messageFields = new Set(["role", "content", "refusal", "tool_calls", "function_call", "audio"]);
const choiceFields = new Set(["index", "delta", "message", "finish_reason", "logprobs"]);
/** `obfuscation` is OpenAI's padding, new in each chunk. */
const chunkFields = new Set(["object", "choices", "usage", "obfuscation"]);

/**
 * Puts a stream's chunks together to the body that OpenAI would have sent without streaming. Any server's chunks: a part may be
 * missing, empty or of another type, and a field may be unknown, which is kept.
 */
export function createAccumulator() {
  const head = new Map<string, unknown>();
  const choices: Choice[] = [];
  let usage: unknown = null;
  let deltas = 0;

  function choiceAt(index: number): Choice {
    const known = choices.find((choice) => choice.index === index);
    if (known) return known;
    const choice: Choice = {
      ...{ index, content: null, refusal: null, toolCalls: createToolCalls(), functionCall: null, audio: null },
      ...{ otherFields: new Map(), finishReason: null, logprobs: null, otherChoiceFields: new Map() },
    };
    choices.push(choice);
    return choice;
  }

  function addChoice(part: Fields): void {
    const choice = choiceAt(typeof part.index === "number" ? part.index : 0);
    const delta = deltaIn(part);
    if (says(delta)) deltas += 1;
    choice.content = joinText(choice.content, textIn(delta.content));
    choice.refusal = joinText(choice.refusal, textIn(delta.refusal));
    for (const call of listIn(delta.tool_calls)) choice.toolCalls.add(call);
    if (isJsonObject(delta.function_call))
      choice.functionCall = joinFields({ name: "", ...choice.functionCall }, delta.function_call, ["arguments"]);
    if (isJsonObject(delta.audio)) choice.audio = joinFields(choice.audio, delta.audio, ["data", "transcript"]);
    for (const [name, value] of Object.entries(delta)) {
      if (!messageFields.has(name)) joinUnknown(choice.otherFields, name, value);
    }
    if (!isNothing(part.finish_reason)) choice.finishReason = part.finish_reason;
    if (isJsonObject(part.logprobs)) {
      choice.logprobs = {
        content: joinLists(choice.logprobs?.content, part.logprobs.content),
        refusal: joinLists(choice.logprobs?.refusal, part.logprobs.refusal),
      };
    }
    for (const [name, value] of Object.entries(part)) {
      if (!choiceFields.has(name) && !isNothing(value)) choice.otherChoiceFields.set(name, value);
    }
  }

  return {
    add(chunk: Fields): void {
      for (const [name, value] of Object.entries(chunk)) {
        if (!chunkFields.has(name) && !isNothing(value)) head.set(name, value);
      }
      if (isJsonObject(chunk.usage) && !(hasTokens(usage) && !hasTokens(chunk.usage))) usage = chunk.usage;
      for (const choice of listIn(chunk.choices)) addChoice(choice);
    },
    /** OpenAI sends about one token a delta: what an estimate goes by when no usage came. */
    deltas: () => deltas,
    /** A usage with tokens has come. */
    hasUsage: () => hasTokens(usage),
    /**
     * Every choice says why it ended, so that nothing of the answer itself is missing. `n`: how many choices were asked for,
     * unless the usage says that there are no more to come.
     */
    isWhole: (n = 1) =>
      choices.length > 0 &&
      choices.every(({ finishReason }) => finishReason !== null) &&
      (choices.length >= n || hasTokens(usage)),
    body: () => ({
      ...Object.fromEntries(head),
      object: "chat.completion" as const,
      choices: choices.toSorted((a, b) => a.index - b.index).map(bodyOf),
      usage,
    }),
  };
}

const bodyOf = (choice: Choice) => ({
  ...Object.fromEntries(choice.otherChoiceFields),
  index: choice.index,
  message: {
    ...Object.fromEntries(choice.otherFields),
    role: "assistant",
    content: choice.content,
    refusal: choice.refusal,
    ...(!choice.toolCalls.isEmpty() && { tool_calls: choice.toolCalls.list() }),
    ...(choice.functionCall && { function_call: choice.functionCall }),
    ...(choice.audio && { audio: choice.audio }),
  },
  finish_reason: choice.finishReason,
  logprobs: choice.logprobs,
});

/** Whether a chunk, or a whole answer, has some of what was asked for. */
export const saysSomething = (chunk: Fields): boolean => listIn(chunk.choices).some((choice) => says(deltaIn(choice)));

/** Some servers name it as in a whole answer. */
const deltaIn = ({ delta, message }: Fields): Fields =>
  isJsonObject(delta) ? delta : isJsonObject(message) ? message : {};

/** An unknown text is likely to be reasoning, which is billed as the answer is. */
const says = (delta: Fields): boolean =>
  Object.entries(delta).some(
    ([name, value]) =>
      name !== "role" &&
      !isNothing(value) &&
      (name !== "audio" || (isJsonObject(value) && Boolean(value.data || value.transcript))),
  );

/** Some of the usage is more than 0. */
export const hasTokens = (usage: unknown): boolean => (usageFrom(usage)?.totalTokens ?? 0) > 0;

const listIn = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);

/** Mistral writes a content in parts, in its streams too. */
export function textIn(content: unknown): string | null {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return null;
  return content.map((part) => (isJsonObject(part) && typeof part.text === "string" ? part.text : "")).join("");
}

const joinText = (before: string | null, more: string | null): string | null =>
  more === null ? before : (before ?? "") + more;

/** Texts come in pieces, arrays grow, and of everything else the last counts. */
function joinUnknown(fields: Map<string, unknown>, name: string, value: unknown): void {
  const before = fields.get(name);
  if (typeof before === "string" && typeof value === "string") fields.set(name, before + value);
  else if (Array.isArray(before) && Array.isArray(value)) fields.set(name, [...before, ...value]);
  else if (before === undefined || !isNothing(value)) fields.set(name, value);
}

function joinLists(before: unknown[] | null | undefined, more: unknown): unknown[] | null {
  const list = Array.isArray(more) ? more : null;
  return before || list ? [...(before ?? []), ...(list ?? [])] : null;
}
