import type { ChatCompletionChunk } from "openai/resources/chat/completions";

/** What is read of a chunk. Servers other than OpenAI leave parts out. */
type Chunk = Partial<Omit<ChatCompletionChunk, "choices">> & { choices?: Partial<ChatCompletionChunk.Choice>[] };
type ToolCallDelta = ChatCompletionChunk.Choice.Delta.ToolCall;

interface Choice {
  index: number;
  message: {
    role: string;
    content: string | null;
    refusal: string | null;
    tool_calls?: { id: string; type: string; function: { name: string; arguments: string } }[];
  };
  finish_reason: string | null;
  logprobs: { content: unknown[] | null; refusal: unknown[] | null } | null;
}

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
      const { id, created, model, service_tier, system_fingerprint } = chunk;
      Object.assign(head, { id, created, model, service_tier, system_fingerprint });
      usage = chunk.usage ?? usage;
      for (const { index = 0, delta, finish_reason, logprobs } of chunk.choices ?? []) {
        const choice = choiceAt(index);
        const { message } = choice;
        if (delta?.content || delta?.refusal || delta?.tool_calls) deltas += 1;
        if (delta?.content != null) message.content = (message.content ?? "") + delta.content;
        if (delta?.refusal != null) message.refusal = (message.refusal ?? "") + delta.refusal;
        for (const call of delta?.tool_calls ?? []) addToolCall(message, call);
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

function addToolCall(message: Choice["message"], delta: ToolCallDelta): void {
  message.tool_calls ??= [];
  const call = message.tool_calls[delta.index];
  if (call) call.function.arguments += delta.function?.arguments ?? "";
  else {
    message.tool_calls[delta.index] = {
      id: delta.id ?? "",
      type: delta.type ?? "function",
      function: { name: delta.function?.name ?? "", arguments: delta.function?.arguments ?? "" },
    };
  }
}

function joined(before: unknown[] | null | undefined, more: unknown[] | null | undefined): unknown[] | null {
  return before || more ? [...(before ?? []), ...(more ?? [])] : null;
}
