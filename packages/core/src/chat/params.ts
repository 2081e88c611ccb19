import type {
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionStreamOptions,
} from "openai/resources/chat/completions";
import type { ChatCall } from "../completion/call.ts";
import { AppError } from "../error.ts";
import { needsMaxCompletionTokens } from "../model/model.ts";
import { withMembersAsWritten } from "../openai/verbatim.ts";
import { toResponseFormat } from "../schemas/index.ts";
import { requireSchema } from "../schemas/require.ts";
import { checkFollowable } from "../structured/followable.ts";
import type { Problem } from "../structured/problem.ts";
import { checkStrictSchema } from "../structured/strict.ts";
import { metadataStaysHere } from "./metadata.ts";
import type { Parameters, ResponseFormat } from "./parameters.ts";
import { effortFor } from "./reasoning-effort.ts";

/** As much of a message as is looked at here: the rest was judged when it was parsed. */
interface Message {
  role: string;
  content?: unknown;
}

/**
 * Turns what the caller asked for into OpenAI's request. Throws `invalid_schema` for a schema that OpenAI would refuse, or by which
 * no answer could be judged, before it costs anything; everything else about a request was judged when it was parsed.
 * `body` is the request as its caller wrote it: from there come the schemas.
 */
export function toChatCall(
  messages: Message[],
  parameters: Parameters,
  defaultModel: string,
  body?: string | null,
): ChatCall {
  const {
    schema: schemaName,
    response_format,
    max_tokens,
    max_completion_tokens,
    metadata,
    ...rest
  } = withoutNulls(parameters);
  const model = rest.model ?? defaultModel;
  const registered = schemaName === undefined ? null : requireSchema(schemaName);
  if (response_format) checkResponseFormat(response_format);
  checkTools(rest);
  const limit = max_completion_tokens ?? max_tokens;
  const effort = effortFor(model, rest);
  const params = {
    ...rest,
    ...(effort && { reasoning_effort: effort }),
    ...(metadata && !metadataStaysHere({ ...rest, metadata }) && { metadata }),
    model,
    messages: registered ? instructed(messages, registered.instructions) : messages,
    ...(registered ? { response_format: toResponseFormat(registered) } : response_format && { response_format }),
    ...(limit != null &&
      (needsMaxCompletionTokens(model) || max_completion_tokens != null
        ? { max_completion_tokens: limit }
        : { max_tokens: limit })),
  } as unknown as ChatCompletionCreateParamsNonStreaming;
  const format = registered
    ? { type: "registered" as const, output: registered.output }
    : (response_format ?? { type: "text" as const });
  const call = { params, format, model, schema: schemaName ?? null };
  const own = withSchemas.filter((name) => parameters[name] != null && params[name] !== undefined);
  return body && own.length > 0 ? withMembersAsWritten(call, own, body) : call;
}

/**
 * Parameters that hold JSON Schemas. They reach OpenAI as their caller wrote them, since the order of a schema's keys is the order in
 * which the model writes.
 */
const withSchemas = ["response_format", "tools", "functions"] as const;

/** OpenAI takes no `null` inside of them. */
export function streamOptionsOf(
  given:
    | { include_obfuscation?: boolean | null | undefined; include_usage?: boolean | null | undefined }
    | null
    | undefined,
): ChatCompletionStreamOptions | undefined {
  return given ? (withoutNulls(given) as ChatCompletionStreamOptions) : undefined;
}

/** A registered schema brings its instructions, unless the caller gives its own. */
function instructed(messages: Message[], instructions: string): Message[] {
  const own = messages.some(({ role }) => role === "system" || role === "developer");
  return own ? messages : [{ role: "system", content: instructions }, ...messages];
}

/** By this schema an answer is judged, strict or not, so that it has to be one that can be followed. */
function checkResponseFormat(format: ResponseFormat): void {
  if (format.type !== "json_schema" || format.json_schema.schema == null) return;
  const { schema, strict } = format.json_schema;
  const param = "response_format.json_schema.schema";
  if (strict) refuseProblems(checkStrictSchema(schema), param, byStrictMode);
  refuseProblems(checkFollowable(schema), param, "No answer could be judged by this schema.");
}

function checkTools({ tools }: Pick<Parameters, "tools">): void {
  tools?.forEach((tool, index) => {
    if (tool.type !== "function" || !tool.function.strict) return;
    refuseProblems(checkStrictSchema(tool.function.parameters), `tools[${index}].function.parameters`, byStrictMode);
  });
}

/** At most this many problems are told: a schema that breaks one rule a hundred times is mended by the first few. */
const maxProblemsTold = 10;

const byStrictMode = "OpenAI's strict mode would refuse this schema.";

function refuseProblems(problems: Problem[], root: string, summary: string): void {
  const [first] = problems;
  if (!first) return;
  const told = problems
    .slice(0, maxProblemsTold)
    .map(({ path, message, mend }) => `${path || "(root)"}: ${message}${mend ? ` To mend it, ${mend}.` : ""}`);
  const rest = problems.length - told.length;
  throw new AppError("invalid_schema", `${summary} ${told.join(" | ")}${rest > 0 ? ` | and ${rest} more` : ""}`, {
    param: first.path ? `${root}.${first.path}` : root,
  });
}

type WithoutNulls<T> = { [K in keyof T]: Exclude<T[K], null> };

/**
 * OpenAI means the same by `null` and by nothing at all; not every server that speaks its protocol does. An empty list means
 * nothing, too, and OpenAI refuses it ("[] is too short", November 2026).
 */
const withoutNulls = <T extends object>(parameters: T): WithoutNulls<T> =>
  Object.fromEntries(
    Object.entries(parameters).filter(([, value]) => value !== null && !isEmptyList(value)),
  ) as WithoutNulls<T>;

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
