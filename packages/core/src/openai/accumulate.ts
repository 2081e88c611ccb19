import type { ChatCompletionChunk } from "openai/resources/chat/completions";

/** What is read of a chunk. Servers other than OpenAI leave parts out. */
type Chunk = Partial<Omit<ChatCompletionChunk, "choices">> & { choices?: Partial<ChatCompletionChunk.Choice>[] };
type Delta = ChatCompletionChunk.Choice.Delta;

interface Choice {
  index: number;
  message: {
    role: string;
    content: string | null;
    refusal: string | null;
    tool_calls?: ToolCall[];
    /** The deprecated form of one tool call. */
    function_call?: object;
    audio?: object;
  };
  finish_reason: string | null;
  logprobs: { content: unknown[] | null; refusal: unknown[] | null } | null;
}

/** By its type it has one of the two. */
interface ToolCall {
  id: string;
  type: string;
  function?: object;
  custom?: object;
}

const headNames = ["id", "created", "model", "service_tier", "system_fingerprint"] as const;

/** Puts a stream's chunks together to the body that OpenAI would have sent without streaming. */
export function createAccumulator() {
  const head: Chunk = {};
  const choices: Choice[] = [];
  let usage: unknown = null;
  let deltas = 0;

  function choiceAt(index: number): Choice {
    const known = choices.find((choice) => choice.index === index);
    if (known) return known;
    const choice: Choice = {
      index,
      message: { role: "assistant", content: null, refusal: null },
      finish_reason: null,
      logprobs: null,
    };
    choices.push(choice);
    return choice;
  }

  return {
    add(chunk: Chunk): void {
      for (const name of headNames) Object.assign(head, { [name]: chunk[name] ?? head[name] });
      usage = chunk.usage ?? usage;
      for (const { index = 0, delta, finish_reason, logprobs } of chunk.choices ?? []) {
        const choice = choiceAt(index);
        const { message } = choice;
        if (saysSomething(delta)) deltas += 1;
        if (delta?.content != null) message.content = (message.content ?? "") + delta.content;
        if (delta?.refusal != null) message.refusal = (message.refusal ?? "") + delta.refusal;
        for (const call of delta?.tool_calls ?? []) addToolCall(message, call);
        if (delta?.function_call) message.function_call = called(message.function_call, delta.function_call);
        if (delta?.audio) message.audio = joinedFields(message.audio, delta.audio, ["data", "transcript"]);
        choice.finish_reason = finish_reason ?? choice.finish_reason;
        if (logprobs) {
          choice.logprobs = {
            content: joined(choice.logprobs?.content, logprobs.content),
            refusal: joined(choice.logprobs?.refusal, logprobs.refusal),
          };
        }
      }
    },
    /** OpenAI sends about one token a delta: what an estimate goes by when no usage came. */
    deltas: () => deltas,
    /** Every choice says why it ended, so that nothing of the answer itself is missing. */
    isWhole: () => choices.length > 0 && choices.every(({ finish_reason }) => finish_reason !== null),
    body: () => ({
      ...head,
      object: "chat.completion" as const,
      choices: choices.toSorted((a, b) => a.index - b.index),
      usage,
    }),
  };
}

const saysSomething = (delta: Delta | undefined): boolean =>
  Boolean(delta?.content || delta?.refusal || delta?.tool_calls || delta?.function_call) ||
  Boolean(delta?.audio?.data || delta?.audio?.transcript);

function addToolCall(message: Choice["message"], delta: NonNullable<Delta["tool_calls"]>[number]): void {
  const { index, id = "", type = delta.custom ? "custom" : "function" } = delta;
  message.tool_calls ??= [];
  message.tool_calls[index] ??= { id, type };
  const call = message.tool_calls[index];
  if (call.type === "custom") call.custom = joinedFields({ name: "", ...call.custom }, delta.custom, ["input"]);
  else call.function = called(call.function, delta.function);
}

const called = (before: object | undefined, more: object | undefined) =>
  joinedFields({ name: "", ...before }, more, ["arguments"]);

/** What has come of an object so far. Texts of these names come in pieces, and everything else at once. */
function joinedFields(before: object | undefined, more: object | undefined, inPieces: string[]): object {
  const whole: Record<string, unknown> = { ...before };
  for (const name of inPieces) whole[name] ??= "";
  for (const [name, value] of Object.entries(more ?? {})) {
    if (value != null) whole[name] = inPieces.includes(name) ? `${whole[name]}${value}` : value;
  }
  return whole;
}

function joined(before: unknown[] | null | undefined, more: unknown[] | null | undefined): unknown[] | null {
  return before || more ? [...(before ?? []), ...(more ?? [])] : null;
}
