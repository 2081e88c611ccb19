import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { AppError } from "../error.ts";
import { toResponseFormat } from "../schemas/index.ts";
import { requireSchema } from "../schemas/require.ts";
import type { OutputFormat } from "../structured/parse.ts";
import type { Problem } from "../structured/problem.ts";
import { checkSchemaName, checkStrictSchema } from "../structured/strict.ts";
import { isReasoningModel, type Message, type Parameters, type ResponseFormat } from "./parameters.ts";

/** OpenAI's request, and what its answer has to look like. */
export interface ChatCall {
  params: ChatCompletionCreateParamsNonStreaming;
  format: OutputFormat;
  model: string;
  schema: string | null;
}

/**
 * Turns what the caller asked for into OpenAI's request. Throws `invalid_request` or `invalid_schema` for what OpenAI would
 * refuse, before it costs anything.
 */
export function toChatCall(messages: Message[], parameters: Parameters, defaultModel: string): ChatCall {
  const { schema: schemaName, response_format, max_tokens, max_completion_tokens, ...rest } = parameters;
  const model = rest.model ?? defaultModel;
  const registered = schemaName === undefined ? null : requireSchema(schemaName);
  if (registered && response_format) {
    throw new AppError("invalid_request", "schema: Give either schema or response_format, not both.", {
      param: "schema",
    });
  }
  if (max_tokens != null && max_completion_tokens != null) {
    throw new AppError("invalid_request", "max_tokens: Give either max_tokens or max_completion_tokens, not both.", {
      param: "max_tokens",
    });
  }
  if (response_format) checkResponseFormat(response_format, messages);
  checkTools(parameters);
  const limit = max_completion_tokens ?? max_tokens;
  const params = {
    ...rest,
    model,
    messages: registered ? instructed(messages, registered.instructions) : messages,
    ...(registered ? { response_format: toResponseFormat(registered) } : response_format && { response_format }),
    ...(limit != null &&
      (isReasoningModel(model) || max_completion_tokens != null
        ? { max_completion_tokens: limit }
        : { max_tokens: limit })),
  } as unknown as ChatCompletionCreateParamsNonStreaming;
  const format = registered
    ? { type: "registered" as const, output: registered.output }
    : (response_format ?? { type: "text" as const });
  return { params, format, model, schema: schemaName ?? null };
}

/** A registered schema brings its instructions, unless the caller gives its own. */
function instructed(messages: Message[], instructions: string): Message[] {
  const own = messages.some(({ role }) => role === "system" || role === "developer");
  return own ? messages : [{ role: "system", content: instructions }, ...messages];
}

function checkResponseFormat(format: ResponseFormat, messages: Message[]): void {
  if (format.type === "json_object" && !mentionsJson(messages)) {
    throw new AppError(
      "invalid_request",
      'messages: response_format json_object needs the word "JSON" in some message, or OpenAI refuses it.',
      { param: "messages" },
    );
  }
  if (format.type !== "json_schema") return;
  const { name, schema, strict } = format.json_schema;
  const path = "response_format.json_schema";
  const [nameProblem] = checkSchemaName(name);
  if (nameProblem)
    throw new AppError("invalid_schema", `${path}.name: ${nameProblem.message}`, { param: `${path}.name` });
  if (strict === true) refuseProblems(checkStrictSchema(schema), `${path}.schema`);
}

function checkTools({ tools, tool_choice, parallel_tool_calls, functions, function_call }: Parameters): void {
  tools?.forEach((tool, index) => {
    if (tool.type !== "function" || !tool.function.strict) return;
    refuseProblems(checkStrictSchema(tool.function.parameters), `tools[${index}].function.parameters`);
  });
  const needsTools =
    !tools &&
    (tool_choice !== undefined && tool_choice !== "none"
      ? "tool_choice"
      : parallel_tool_calls !== undefined && "parallel_tool_calls");
  if (needsTools) {
    throw new AppError("invalid_request", `${needsTools}: It needs tools to choose from. Add tools, or leave it out.`, {
      param: needsTools,
    });
  }
  if (function_call !== undefined && !functions) {
    throw new AppError("invalid_request", "function_call: It needs functions. Add functions, or leave it out.", {
      param: "function_call",
    });
  }
}

/** At most this many problems are told: a schema that breaks one rule a hundred times is mended by the first few. */
const maxProblemsTold = 10;

function refuseProblems(problems: Problem[], root: string): void {
  const [first] = problems;
  if (!first) return;
  const told = problems
    .slice(0, maxProblemsTold)
    .map(({ path, message, mend }) => `${path || "(root)"}: ${message}${mend ? ` To mend it, ${mend}.` : ""}`);
  const rest = problems.length - told.length;
  throw new AppError(
    "invalid_schema",
    `OpenAI's strict mode would refuse this schema. ${told.join(" | ")}${rest > 0 ? ` | and ${rest} more` : ""}`,
    { param: first.path ? `${root}.${first.path}` : root },
  );
}

const mentionsJson = (messages: Message[]): boolean =>
  messages.some(({ content }) =>
    typeof content === "string"
      ? /json/i.test(content)
      : content?.some((part) => part.type === "text" && /json/i.test(part.text)),
  );
