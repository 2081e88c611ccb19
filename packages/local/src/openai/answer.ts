import { randomUUID } from "node:crypto";
import { badRequest } from "./error.ts";
import { describe, factNamed, visualElementsOf } from "./fact.ts";
import type { Fault } from "./fault.ts";
import { instanceOf } from "./instance.ts";
import type { ToolCall } from "./message.ts";
import type { Fields } from "./parameter.ts";
import { textFitting } from "./pattern.ts";
import type { ChatRequest } from "./request.ts";
import type { Subject } from "./subject.ts";
import { countTokens, piecesOf, tokensOf } from "./token.ts";
import type { Tool } from "./tool.ts";
import { reasoningTokensOf } from "./usage.ts";

/** One choice of an answer, before it is written for the wire. */
export interface Choice {
  content: string | null;
  refusal: string | null;
  toolCalls: ToolCall[];
  finishReason: "stop" | "length" | "tool_calls" | "content_filter" | "function_call";
  /** Billed for this choice, `reasoningTokens` included. */
  completionTokens: number;
  reasoningTokens: number;
}

type Draft = Pick<Choice, "content" | "refusal" | "toolCalls" | "finishReason">;

const REFUSAL = "I'm sorry, I can't assist with that request.";

/** The choices that answer a request: the same for the same request, but for the ids of tool calls. */
export function answer(request: ChatRequest, subject: Subject, fault: Fault | null): Choice[] {
  if (fault?.kind === "no_choices") return [];
  const choice = (index: number) =>
    withinLimit(distorted(draftOf(request, subject, index), request, subject, fault), request);
  const first = choice(0);
  // Structured answers to one request do not differ, and may be large.
  const isRepeated = request.responseFormat.type !== "text" && first.toolCalls.length === 0;
  return Array.from({ length: request.n }, (_, index) => (index === 0 || isRepeated ? first : choice(index)));
}

function draftOf(request: ChatRequest, subject: Subject, index: number): Draft {
  const calls = toolsToCall(request, subject).map((tool) => callOf(tool, subject));
  if (calls.length > 0) return calling(calls, request);
  return said(untilStop(contentOf(request, subject, index), request.stop));
}

function said(content: string): Draft {
  return { content, refusal: null, toolCalls: [], finishReason: "stop" };
}

function calling(toolCalls: ToolCall[], { legacyFunctions }: ChatRequest): Draft {
  return { content: null, refusal: null, toolCalls, finishReason: legacyFunctions ? "function_call" : "tool_calls" };
}

function contentOf({ responseFormat }: ChatRequest, subject: Subject, index: number): string {
  if (responseFormat.type === "text") return describe(subject, index);
  if (responseFormat.type === "json_object") return JSON.stringify(objectAbout(subject));
  const { name, schema } = responseFormat;
  return JSON.stringify(filled(schema, subject, `response_format '${name}'`, "response_format"));
}

/** A schema that passes every rule may still have no finite instance: a node that requires a node. */
function filled(schema: Fields, subject: Subject, what: string, param: string): unknown {
  try {
    return instanceOf(schema, subject);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw badRequest(`Invalid schema for ${what}: ${error.message}.`, param);
  }
}

/** What JSON mode answers, where no schema names any property. */
function objectAbout(subject: Subject): Fields {
  const { label, confidence } = subject.sentiment;
  const known = { sentiment: label, confidence, description: describe(subject) };
  if (subject.pictures.length === 0)
    return { ...known, key_phrases: subject.keyPhrases, word_count: subject.wordCount };
  const names = ["format", "width", "height", "size_bytes", "brightness", "dominant_colors"];
  const facts = Object.fromEntries(names.map((name) => [name, factNamed(name, subject)]));
  return { ...known, key_elements: visualElementsOf(subject), ...facts };
}

/** With `auto`, the functions that the text names; a tool's result is answered in words. */
function toolsToCall(request: ChatRequest, { text }: Subject): Tool[] {
  const { parallelToolCalls, messages } = request;
  if (request.tools.length === 0 || request.toolChoice === "none") return [];
  if (typeof request.toolChoice === "object" && "name" in request.toolChoice) {
    const { name } = request.toolChoice;
    return request.tools.filter((tool) => tool.name === name).slice(0, 1);
  }
  const allowed = typeof request.toolChoice === "object" ? request.toolChoice : null;
  const tools = allowed ? request.tools.filter(({ name }) => allowed.names.includes(name)) : request.tools;
  const toolChoice = allowed ? allowed.mode : request.toolChoice;
  const lower = text.toLowerCase();
  const named = tools.filter(({ name }) => mentions(lower, name.toLowerCase()));
  const answersTool = ["tool", "function"].includes(messages.at(-1)?.role ?? "");
  const wanted = toolChoice === "required" ? (named.length > 0 ? named : tools.slice(0, 1)) : answersTool ? [] : named;
  return parallelToolCalls ? wanted : wanted.slice(0, 1);
}

/** `get_weather` is mentioned as itself or as its words: "Get the weather in Paris". */
function mentions(text: string, name: string): boolean {
  return text.includes(name) || name.split(/[_-]+/).every((word) => text.includes(word));
}

function callOf({ name, parameters, inputPattern }: Omit<Tool, "description">, subject: Subject): ToolCall {
  const id = `call_${randomUUID().replaceAll("-", "").slice(0, 24)}`;
  if (parameters === null) {
    const text = describe(subject);
    const input = inputPattern === null ? text : textFitting(inputPattern, text);
    return { id, type: "custom", name, input };
  }
  const input = JSON.stringify(filled(parameters, subject, `function '${name}'`, "tools"));
  return { id, type: "function", name, input };
}

function untilStop(content: string, stop: string[]): string {
  const ends = stop.map((sequence) => content.indexOf(sequence)).filter((at) => at >= 0);
  return content.slice(0, Math.min(content.length, ...ends));
}

/** What a fault makes of the answer. */
function distorted(draft: Draft, request: ChatRequest, subject: Subject, fault: Fault | null): Draft {
  if (fault?.kind === "refusal") return { content: null, refusal: REFUSAL, toolCalls: [], finishReason: "stop" };
  if (fault?.kind === "length" || fault?.kind === "content_filter")
    return { ...cut(draft, Math.floor(visibleTokens(draft) / 2)), finishReason: fault.kind };
  if (fault?.kind === "tool_calls") {
    const unasked = { name: "unasked", parameters: { type: "object", properties: {} }, inputPattern: null };
    return calling([callOf(request.tools[0] ?? unasked, subject)], request);
  }
  if (fault?.kind === "long" && draft.content !== null) return said(drawnOut(draft.content, fault.bytes));
  // No strict schema lets a property through that it does not name.
  if (fault?.kind === "off_schema") return said(JSON.stringify({ off_schema: true }));
  if (fault?.kind === "bad_json") return said(`Here is what you asked for: {"${request.modelId}": `);
  return draft;
}

/** Goes on and on: at the end of a text, or of the first one in a structured answer. */
function drawnOut(content: string, bytes: number): string {
  const more = " and so on";
  return content.replace(/":"(?:[^"\\]|\\.)*|$/, (text) => text + more.repeat(Math.ceil(bytes / more.length)));
}

/** Cuts a choice at the request's limit, which the reasoning uses up first. */
function withinLimit(draft: Draft, request: ChatRequest): Choice {
  const limit = request.maxTokens ?? Infinity;
  const reasoningTokens = Math.min(limit, reasoningTokensOf(request));
  const visible = visibleTokens(draft);
  if (reasoningTokens + visible <= limit)
    return { ...draft, completionTokens: reasoningTokens + visible, reasoningTokens };
  const short = cut(draft, limit - reasoningTokens);
  return { ...short, finishReason: "length", completionTokens: limit, reasoningTokens };
}

function visibleTokens({ content, refusal, toolCalls }: Draft): number {
  const called = toolCalls.reduce((sum, call) => sum + countTokens(call.name) + countTokens(call.input), 0);
  return countTokens(content ?? "") + countTokens(refusal ?? "") + called;
}

/** The first `maxTokens` tokens of a draft; a call whose name no longer fits is left out. */
function cut(draft: Draft, maxTokens: number): Draft {
  let left = maxTokens;
  const toolCalls: ToolCall[] = [];
  for (const call of draft.toolCalls) {
    left -= countTokens(call.name);
    if (left < 0) break;
    toolCalls.push({ ...call, input: firstTokens(call.input, left) });
    left = Math.max(0, left - countTokens(call.input));
  }
  const { content, refusal } = draft;
  return {
    ...draft,
    content: content === null ? null : firstTokens(content, maxTokens),
    refusal: refusal === null ? null : firstTokens(refusal, maxTokens),
    toolCalls,
  };
}

function firstTokens(text: string, count: number): string {
  return piecesOf(tokensOf(text).slice(0, count)).join("");
}
