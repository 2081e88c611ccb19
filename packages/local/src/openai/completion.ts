import type { Choice } from "./answer.ts";
import type { ToolCall } from "./message.ts";
import { snapshotOf } from "./models.ts";
import { moderationOf } from "./moderation.ts";
import type { ChatRequest } from "./request.ts";
import { hashOf, piecesOf, tokensOf } from "./token.ts";
import type { CompletionUsage } from "./usage.ts";

/** A `chat.completion` as it stands in a response. */
export interface ChatCompletion {
  id: string;
  object: "chat.completion";
  /** Unix seconds. */
  created: number;
  model: string;
  choices: CompletionChoice[];
  usage: CompletionUsage;
  service_tier: string;
  system_fingerprint: string;
  moderation?: object;
}

export interface CompletionChoice {
  index: number;
  message: CompletionMessage;
  logprobs: { content: TokenLogprob[] | null; refusal: TokenLogprob[] | null } | null;
  finish_reason: Choice["finishReason"];
}

interface CompletionMessage {
  role: "assistant";
  content: string | null;
  refusal: string | null;
  annotations: never[];
  tool_calls?: CompletionToolCall[];
  function_call?: { name: string; arguments: string };
}

export type CompletionToolCall =
  | { id: string; type: "function"; function: { name: string; arguments: string } }
  | { id: string; type: "custom"; custom: { name: string; input: string } };

interface Logprob {
  token: string;
  logprob: number;
  /** The token's UTF-8 bytes. */
  bytes: number[];
}

export interface TokenLogprob extends Logprob {
  top_logprobs: Logprob[];
}

export function completionOf(
  request: ChatRequest,
  choices: Choice[],
  usage: CompletionUsage,
  { id, created }: { id: string; created: number },
): ChatCompletion {
  const model = snapshotOf(request.model, request.modelId);
  return {
    id,
    object: "chat.completion",
    created,
    model,
    choices: choices.map((choice, index) => ({
      index,
      message: messageOf(choice),
      logprobs: request.logprobs ? logprobsOf(choice, request.topLogprobs) : null,
      finish_reason: choice.finishReason,
    })),
    usage,
    service_tier: request.serviceTier === "auto" ? "default" : request.serviceTier,
    // One configuration per snapshot, so equal seeds meet an equal fingerprint.
    system_fingerprint: `fp_${hashOf(model).toString(16).padStart(10, "0")}`,
    ...(request.moderation ? { moderation: moderationOf(request.moderation, choices.length) } : {}),
  };
}

function messageOf({ content, refusal, toolCalls, finishReason }: Choice): CompletionMessage {
  const message: CompletionMessage = { role: "assistant", content, refusal, annotations: [] };
  const [first] = toolCalls;
  if (!first) return message;
  if (finishReason === "function_call")
    return { ...message, function_call: { name: first.name, arguments: first.input } };
  return { ...message, tool_calls: toolCalls.map(wireCall) };
}

const wireCall = ({ id, type, name, input }: ToolCall): CompletionToolCall =>
  type === "custom" ? { id, type, custom: { name, input } } : { id, type, function: { name, arguments: input } };

function logprobsOf({ content, refusal }: Choice, top: number): CompletionChoice["logprobs"] {
  const of = (text: string | null) =>
    text === null ? null : piecesOf(tokensOf(text)).map((token) => logprobOf(token, top));
  return { content: of(content), refusal: of(refusal) };
}

/** Likely tokens, by their hash; the alternatives are that token's other spellings, less and less likely. */
function logprobOf(token: string, top: number): TokenLogprob {
  const logprob = -(1 + (hashOf(token) % 50)) / 1000;
  const spellings = [
    token,
    token.toUpperCase(),
    ` ${token}`,
    token.toLowerCase(),
    ...Array.from({ length: top }, (_, n) => `${token}${n}`),
  ];
  const alternatives = [...new Set(spellings)].slice(0, top);
  const entry = (text: string, rank: number): Logprob => ({
    token: text,
    logprob: rank === 0 ? logprob : logprob - 3 - rank,
    bytes: [...Buffer.from(text)],
  });
  return { ...entry(token, 0), top_logprobs: alternatives.map(entry) };
}
