import type { ChatCompletion, CompletionChoice, CompletionToolCall } from "./completion.ts";
import { piecesOf, tokensOf } from "./token.ts";

/**
 * A completion as `chat.completion.chunk`s, each the JSON of one server-sent event: for every choice its role, its text
 * token by token or its calls, and its finish; then the usage, when it was asked for.
 */
export function* chunksOf(completion: ChatCompletion, includeUsage: boolean): Generator<object> {
  const { id, created, model, service_tier, system_fingerprint, usage, moderation } = completion;
  const frame = { id, object: "chat.completion.chunk", created, model, service_tier, system_fingerprint };
  for (const choice of completion.choices)
    for (const part of partsOf(choice))
      yield {
        ...frame,
        choices: [{ index: choice.index, delta: {}, logprobs: null, finish_reason: null, ...part }],
        ...(includeUsage ? { usage: null } : {}),
      };
  if (moderation) yield { ...frame, choices: [], moderation, ...(includeUsage ? { usage: null } : {}) };
  if (includeUsage) yield { ...frame, choices: [], usage };
}

function* partsOf({ message, logprobs, finish_reason }: CompletionChoice): Generator<object> {
  const { role, content, refusal, tool_calls, function_call } = message;
  yield { delta: { role, content: content === null ? null : "", refusal: null } };
  for (const [index, piece] of piecesOf(tokensOf(content ?? "")).entries())
    yield { delta: { content: piece }, logprobs: logprobAt(logprobs, "content", index) };
  for (const [index, piece] of piecesOf(tokensOf(refusal ?? "")).entries())
    yield { delta: { refusal: piece }, logprobs: logprobAt(logprobs, "refusal", index) };
  for (const [index, call] of (tool_calls ?? []).entries())
    for (const piece of piecesOfCall(call)) yield { delta: { tool_calls: [{ index, ...piece }] } };
  if (function_call) {
    yield { delta: { function_call: { name: function_call.name, arguments: "" } } };
    for (const piece of piecesOf(tokensOf(function_call.arguments)))
      yield { delta: { function_call: { arguments: piece } } };
  }
  yield { delta: {}, finish_reason };
}

function* piecesOfCall(call: CompletionToolCall): Generator<object> {
  const { id, type } = call;
  if (type === "custom") {
    yield { id, type, custom: { name: call.custom.name, input: "" } };
    for (const input of piecesOf(tokensOf(call.custom.input))) yield { custom: { input } };
  } else {
    yield { id, type, function: { name: call.function.name, arguments: "" } };
    for (const piece of piecesOf(tokensOf(call.function.arguments))) yield { function: { arguments: piece } };
  }
}

function logprobAt(logprobs: CompletionChoice["logprobs"], of: "content" | "refusal", index: number) {
  const entry = logprobs?.[of]?.[index];
  return entry ? { content: null, refusal: null, [of]: [entry] } : null;
}
