import type * as z from "zod";
import { describeJson, isJsonObject } from "../json/object.ts";
import { jitless } from "../validation/jitless.ts";
import { maxLevels, nestsDeeperThan } from "../validation/json-depth.ts";
import { at, type Problem } from "./problem.ts";
import { validate } from "./validate.ts";

/** What the answer has to be: `response_format` as on the wire, or a registered schema's zod type. */
export type OutputFormat =
  | { type: "text" }
  | { type: "json_object" }
  | { type: "json_schema"; json_schema: { schema?: unknown } }
  | { type: "registered"; output: z.ZodType };

/** What of OpenAI's choice decides; read as `unknown`, since a compatible server may send anything. */
export interface Choice {
  /** `choice.message`; undefined when the answer had no choices. */
  message: unknown;
  /** `choice.finish_reason`. */
  finishReason: unknown;
  format: OutputFormat;
}

/** Only `succeeded` has an output, and that is null for text and for tool calls, which stand in the message. */
export type Outcome =
  | { status: "succeeded"; output: unknown }
  | { status: "refused" | "truncated" | "filtered"; output: null }
  | { status: "failed"; output: null; code: "invalid_output"; problems: Problem[] };

/**
 * What became of one choice of a chat completion. Never throws: the answer was paid for, so a verdict always comes back.
 * The first that applies: content_filter, refusal, length, tool calls, then the content against its format.
 */
export function evaluate({ message, finishReason, format }: Choice): Outcome {
  if (finishReason === "content_filter") return { status: "filtered", output: null };
  if (!isJsonObject(message)) return failed([{ path: "", message: "The answer has no message." }]);
  if (isFilledText(message.refusal)) return { status: "refused", output: null };
  if (finishReason === "length") return { status: "truncated", output: null };
  const calls =
    finishReason === "tool_calls" ||
    finishReason === "function_call" ||
    (Array.isArray(message.tool_calls) && message.tool_calls.length > 0) ||
    isJsonObject(message.function_call);
  if (calls || format.type === "text") return { status: "succeeded", output: null };
  return parseContent(message.content, format);
}

/** From the worst to the best: first what no caller can use, then what OpenAI withheld, cut off or declined. */
const fromWorst = ["failed", "filtered", "truncated", "refused", "succeeded"] as const;

/** The worst of several choices' verdicts, of which there is at least one: what is said of the whole answer. */
export function worstOf(verdicts: readonly Outcome[]): Outcome {
  const [worst] = verdicts.toSorted((a, b) => fromWorst.indexOf(a.status) - fromWorst.indexOf(b.status));
  return worst ?? failed([{ path: "", message: "The answer has no choices." }]);
}

function parseContent(content: unknown, format: Exclude<OutputFormat, { type: "text" }>): Outcome {
  // trim() takes a byte order mark away as well, which JSON.parse does not accept.
  const text = typeof content === "string" ? content.trim() : "";
  if (text === "") return failed([{ path: "", message: "The answer is empty, where JSON was asked for." }]);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failed([{ path: "", message: "The answer is not JSON." }]);
  }
  // An answer that was paid for must not be lost when it is written out again.
  if (nestsDeeperThan(maxLevels, value)) {
    return failed([{ path: "", message: `The answer nests more than ${maxLevels} levels deep.` }]);
  }
  return fit(value, format);
}

function fit(value: unknown, format: Exclude<OutputFormat, { type: "text" }>): Outcome {
  if (format.type === "registered") {
    const parsed = format.output.safeParse(value, jitless);
    return parsed.success ? { status: "succeeded", output: parsed.data } : failed(problemsOf(parsed.error));
  }
  if (format.type === "json_object") {
    if (isJsonObject(value)) return { status: "succeeded", output: value };
    return failed([{ path: "", message: `A JSON object was asked for, and this is ${describeJson(value)}.` }]);
  }
  const { schema } = format.json_schema;
  // OpenAI lets the schema be left out, which asks for any JSON.
  const problems = isJsonObject(schema) ? validate(schema, value) : [];
  return problems.length === 0 ? { status: "succeeded", output: value } : failed(problems);
}

function failed(problems: Problem[]): Outcome {
  return { status: "failed", output: null, code: "invalid_output", problems };
}

function isFilledText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.map((issue) => ({
    path: issue.path.reduce<string>((path, key) => at(path, typeof key === "number" ? key : String(key)), ""),
    message: issue.message,
  }));
}
