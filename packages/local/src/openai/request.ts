import { badRequest } from "./error.ts";
import { type Message, messagesAt } from "./message.ts";
import { findModel, type Model } from "./models.ts";
import { type Moderation, moderationAt } from "./moderation.ts";
import {
  arrayAt,
  booleanAt,
  closedObjectAt,
  decimalAt,
  type Fields,
  integerAt,
  isObject,
  listed,
  objectAt,
  oneOfAt,
  optional,
  required,
  stringAt,
} from "./parameter.ts";
import { type ResponseFormat, responseFormatAt } from "./response-format.ts";
import { functionsAt, type Tool, type ToolChoice, toolChoiceAt, toolsAt } from "./tool.ts";

/** A request to `/v1/chat/completions` that OpenAI would answer. */
export interface ChatRequest {
  model: Model;
  /** The id as the request wrote it. */
  modelId: string;
  messages: Message[];
  responseFormat: ResponseFormat;
  tools: Tool[];
  toolChoice: ToolChoice;
  parallelToolCalls: boolean;
  /** The deprecated `functions` were used, so the answer has `function_call` instead of `tool_calls`. */
  legacyFunctions: boolean;
  n: number;
  stop: string[];
  /** The most tokens a choice may have, reasoning included; null for no limit. */
  maxTokens: number | null;
  logprobs: boolean;
  topLogprobs: number;
  /** Null for a model that does not reason. */
  reasoningEffort: string | null;
  serviceTier: string;
  stream: boolean;
  includeUsage: boolean;
  moderation: Moderation | null;
  /** The request's own text of tools and schema, which OpenAI counts as prompt. */
  promptExtras: string;
}

const KEYS = new Set([
  ...["model", "messages", "temperature", "top_p", "n", "stop", "max_tokens", "max_completion_tokens"],
  ...["presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "seed", "response_format"],
  ...["tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "stream", "stream_options"],
  ...["service_tier", "store", "user", "metadata", "reasoning_effort", "verbosity", "modalities", "prediction"],
  ...["prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier"],
  ...["web_search_options", "moderation"],
]);

const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
const TIERS = ["auto", "default", "flex", "scale", "priority", "fast"];

/**
 * Checks a body as the real API does and gives it types.
 * @throws OpenAIError 400, or 404 for a model that is unknown or has ended
 */
export function parseRequest(body: unknown, now: Date): ChatRequest {
  if (!isObject(body)) throw badRequest("We could not parse the JSON body of your request. Expected a JSON object.");
  if (isDeeperThan(body, MAX_DEPTH))
    throw badRequest(`We could not parse the JSON body of your request. It nests more than ${MAX_DEPTH} levels deep.`);
  const unknown = Object.keys(body).find((key) => !KEYS.has(key));
  if (unknown !== undefined) throw badRequest(`Unrecognized request argument supplied: ${unknown}`);
  if (body.model === undefined) throw badRequest("you must provide a model parameter");
  const modelId = stringAt(body.model, "model");
  const model = findModel(modelId, now);
  const messages = messagesAt(required(body, "messages", "messages"), model);
  checkPlainParameters(body);
  if (model.audio)
    throw badRequest("This model requires that either input content or output modality contain audio.", "model");
  checkSearch(body, model);
  const tools = toolParameters(body);
  const reasoningEffort = reasoningEffortOf(body, model);
  checkFunctionTools(tools.tools, body.reasoning_effort, model);
  return {
    model,
    modelId,
    messages,
    responseFormat: optional(body.response_format, (value) => responseFormatAt(value, messages, model)) ?? {
      type: "text",
    },
    ...tools,
    ...lengthParameters(body, model),
    ...logprobParameters(body),
    ...streamParameters(body),
    n: optional(body.n, (value) => integerAt(value, "n", { min: 1, max: 128 })) ?? 1,
    stop: stopAt(body.stop),
    reasoningEffort,
    moderation: optional(body.moderation, moderationAt),
    serviceTier: optional(body.service_tier, (value) => oneOfAt(value, "service_tier", TIERS)) ?? "auto",
    promptExtras: [body.tools, body.functions, isObject(body.response_format) ? body.response_format.json_schema : null]
      .flatMap((part) => (part === undefined || part === null ? [] : [JSON.stringify(part)]))
      .join("\n"),
  };
}

/** OpenAI publishes no limit; what recurses into a request here has to end before the stack does. */
const MAX_DEPTH = 500;

/** Walks level by level, so that no depth is too much for it. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true;
    level = level.flatMap((item) => (typeof item === "object" && item !== null ? Object.values(item) : []));
  }
  return false;
}

/** Parameters that change nothing in a simulated answer, but are refused when wrong. */
function checkPlainParameters(body: Fields): void {
  optional(body.temperature, (value) => decimalAt(value, "temperature", { min: 0, max: 2 }));
  optional(body.top_p, (value) => decimalAt(value, "top_p", { min: 0, max: 1 }));
  for (const name of ["presence_penalty", "frequency_penalty"])
    optional(body[name], (value) => decimalAt(value, name, { min: -2, max: 2 }));
  optional(body.seed, (value) => integerAt(value, "seed"));
  optional(body.store, (value) => booleanAt(value, "store"));
  for (const name of ["user", "prompt_cache_key", "safety_identifier"])
    optional(body[name], (value) => stringAt(value, name));
  optional(body.prompt_cache_retention, (value) => oneOfAt(value, "prompt_cache_retention", ["in_memory", "24h"]));
  optional(body.verbosity, (value) => oneOfAt(value, "verbosity", ["low", "medium", "high"]));
  for (const name of ["prediction", "prompt_cache_options"]) optional(body[name], (value) => objectAt(value, name));
  optional(body.modalities, (value) => {
    for (const [index, item] of arrayAt(value, "modalities", { min: 1 }).entries())
      oneOfAt(item, `modalities[${index}]`, ["text"]);
  });
  optional(body.logit_bias, (value) => {
    for (const [token, bias] of Object.entries(objectAt(value, "logit_bias")))
      decimalAt(bias, `logit_bias.${token}`, { min: -100, max: 100 });
  });
  optional(body.metadata, checkMetadata);
  if (body.metadata !== undefined && body.metadata !== null && body.store !== true)
    // tmc/langchaingo#1484 (2026-03)
    throw badRequest("The 'metadata' parameter is only allowed when 'store' is enabled.", "metadata");
}

const SAMPLING = ["frequency_penalty", "presence_penalty", "temperature", "top_p", "n", "logprobs", "logit_bias"];

/** Search models refuse sampling (vercel/ai#5647, 2025-04), and only they take `web_search_options`. */
function checkSearch(body: Fields, model: Model): void {
  if (!model.searches) {
    if (body.web_search_options !== undefined && body.web_search_options !== null)
      throw badRequest("Web search options not supported with this model.", "web_search_options");
    return;
  }
  const refused = SAMPLING.filter((name) => body[name] !== undefined && body[name] !== null);
  if (refused.length > 0)
    throw badRequest(
      `Model incompatible request argument${refused.length > 1 ? "s" : ""} supplied: ${refused.join(", ")}`,
    );
  optional(body.web_search_options, (value) => {
    const path = "web_search_options";
    const options = closedObjectAt(value, path, ["search_context_size", "user_location"]);
    optional(options.search_context_size, (size) =>
      oneOfAt(size, `${path}.search_context_size`, ["low", "medium", "high"]),
    );
    optional(options.user_location, (location) => {
      const at = `${path}.user_location`;
      const fields = closedObjectAt(location, at, ["type", "approximate"]);
      oneOfAt(required(fields, "type", `${at}.type`), `${at}.type`, ["approximate"]);
      const place = required(fields, "approximate", `${at}.approximate`);
      closedObjectAt(place, `${at}.approximate`, ["city", "country", "region", "timezone"]);
    });
  });
}

/** From gpt-5.4 on, Chat Completions takes function tools only from a model that does not reason. */
function checkFunctionTools(tools: Tool[], effort: unknown, model: Model): void {
  if (!tools.some(({ parameters }) => parameters !== null) || model.functionTools === "always") return;
  const isGiven = effort !== undefined && effort !== null;
  if (effort === "none" || (!isGiven && model.functionTools === "unless an effort is given")) return;
  const hint =
    model.functionTools === "with effort none only"
      ? "To use function tools, use /v1/responses or set reasoning_effort to 'none'."
      : "Please use /v1/responses instead.";
  throw badRequest(
    `Function tools with reasoning_effort are not supported for ${model.alias} in /v1/chat/completions. ${hint}`,
    "reasoning_effort",
  );
}

/** @throws OpenAIError 400 for a prompt, or a prompt and its answer, that the model cannot hold */
export function checkContext({ model, maxTokens, reasoningEffort }: ChatRequest, promptTokens: number): void {
  const { contextTokens, maxInputTokens } = model;
  const tooLong = (message: string) => badRequest(message, "messages", "context_length_exceeded");
  if (promptTokens > maxInputTokens)
    throw tooLong(
      maxInputTokens < contextTokens
        ? // cline/cline#5474 (2025-08)
          `Input tokens exceed the configured limit of ${maxInputTokens} tokens. Your messages resulted in ${promptTokens} tokens. Please reduce the length of the messages.`
        : `This model's maximum context length is ${contextTokens} tokens. However, your messages resulted in ${promptTokens} tokens. Please reduce the length of the messages.`,
    );
  if (reasoningEffort === null && maxTokens !== null && promptTokens + maxTokens > contextTokens)
    throw tooLong(
      `This model's maximum context length is ${contextTokens} tokens. However, you requested ${promptTokens + maxTokens} tokens (${promptTokens} in the messages, ${maxTokens} in the completion). Please reduce the length of the messages or completion.`,
    );
}

function checkMetadata(value: unknown): void {
  const entries = Object.entries(objectAt(value, "metadata"));
  if (entries.length > 16)
    throw badRequest(
      `Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with ${entries.length} properties instead.`,
      "metadata",
      "object_above_max_properties",
    );
  for (const [key, text] of entries) {
    if (key.length > 64)
      throw badRequest(
        `Invalid 'metadata': string too long. Expected a key with maximum length 64, but got a key with length ${key.length} instead.`,
        "metadata",
        "string_above_max_length",
      );
    stringAt(text, `metadata.${key}`, { max: 512 });
  }
}

function toolParameters(body: Fields) {
  const legacyFunctions = body.functions !== undefined && body.functions !== null;
  const tools = legacyFunctions ? functionsAt(body.functions) : (optional(body.tools, toolsAt) ?? []);
  const param = legacyFunctions ? "function_call" : "tool_choice";
  const stray = legacyFunctions ? body.tool_choice : body.function_call;
  if (stray !== undefined && stray !== null) toolChoiceAt(stray, legacyFunctions ? "tool_choice" : "function_call", []);
  const toolChoice: ToolChoice = optional(body[param], (value) => toolChoiceAt(value, param, tools)) ?? "auto";
  const parallel = optional(body.parallel_tool_calls, (value) => booleanAt(value, "parallel_tool_calls"));
  if (parallel !== null && tools.length === 0)
    throw badRequest("'parallel_tool_calls' is only allowed when 'tools' are specified.", "parallel_tool_calls");
  return { tools, toolChoice, parallelToolCalls: (parallel ?? true) && !legacyFunctions, legacyFunctions };
}

function lengthParameters(body: Fields, { maxOutputTokens }: Model) {
  const old = optional(body.max_tokens, (value) => integerAt(value, "max_tokens", { min: 1 }));
  const current = optional(body.max_completion_tokens, (value) =>
    integerAt(value, "max_completion_tokens", { min: 1 }),
  );
  if (old !== null && current !== null)
    throw badRequest(
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
      "max_tokens",
      "invalid_parameter_combination",
    );
  const maxTokens = current ?? old;
  const name = current === null ? "max_tokens" : "max_completion_tokens";
  if (maxTokens !== null && maxTokens > maxOutputTokens)
    // enoch3712/ExtractThinker#346 (2025-06)
    throw badRequest(
      `${name} is too large: ${maxTokens}. This model supports at most ${maxOutputTokens} completion tokens, whereas you provided ${maxTokens}.`,
      name,
      "invalid_value",
    );
  return { maxTokens };
}

function logprobParameters(body: Fields) {
  const logprobs = optional(body.logprobs, (value) => booleanAt(value, "logprobs")) ?? false;
  const topLogprobs = optional(body.top_logprobs, (value) => integerAt(value, "top_logprobs", { min: 0, max: 20 }));
  if (topLogprobs !== null && !logprobs)
    throw badRequest("'top_logprobs' is only allowed when 'logprobs' is enabled.", "top_logprobs");
  return { logprobs, topLogprobs: topLogprobs ?? 0 };
}

function streamParameters(body: Fields) {
  const stream = optional(body.stream, (value) => booleanAt(value, "stream")) ?? false;
  const options = optional(body.stream_options, (value) =>
    closedObjectAt(value, "stream_options", ["include_usage", "include_obfuscation"]),
  );
  if (options && !stream)
    throw badRequest("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
  optional(options?.include_obfuscation, (value) => booleanAt(value, "stream_options.include_obfuscation"));
  const includeUsage = optional(options?.include_usage, (value) => booleanAt(value, "stream_options.include_usage"));
  return { stream, includeUsage: includeUsage ?? false };
}

function stopAt(value: unknown): string[] {
  if (typeof value === "string") return [stringAt(value, "stop", { min: 1 })];
  const list = optional(value, (given) => arrayAt(given, "stop", { max: 4 })) ?? [];
  return list.map((item, index) => stringAt(item, `stop[${index}]`, { min: 1 }));
}

/** What only some models take, and what reasoning models refuse. */
function reasoningEffortOf(body: Fields, model: Model): string | null {
  const effort = optional(body.reasoning_effort, (value) => oneOfAt(value, "reasoning_effort", EFFORTS));
  if (model.efforts.length === 0) {
    if (effort !== null) throw badRequest("Unrecognized request argument supplied: reasoning_effort");
    return null;
  }
  if (effort !== null && !model.efforts.includes(effort))
    throw badRequest(
      `Unsupported value: '${effort}' is not supported with the '${model.alias}' model. Supported values are: ${listed(model.efforts)}.`,
      "reasoning_effort",
      "unsupported_value",
    );
  if (body.max_tokens !== undefined && body.max_tokens !== null)
    throw unsupportedParameter("max_tokens", " Use 'max_completion_tokens' instead.");
  if (!model.takesStop && body.stop !== undefined && body.stop !== null) throw unsupportedParameter("stop");
  if ((effort ?? model.defaultEffort) !== "none") checkSampling(body);
  return effort ?? model.defaultEffort;
}

/** A model that thinks before it answers takes the sampling parameters at their defaults only. */
function checkSampling(body: Fields): void {
  const defaults = { temperature: 1, top_p: 1, presence_penalty: 0, frequency_penalty: 0 };
  for (const [name, standard] of Object.entries(defaults)) {
    const value = body[name];
    if (value !== undefined && value !== null && value !== standard)
      throw badRequest(
        `Unsupported value: '${name}' does not support ${String(value)} with this model. Only the default (${standard}) value is supported.`,
        name,
        "unsupported_value",
      );
  }
  if (body.logprobs === true) throw unsupportedParameter("logprobs");
  if (isObject(body.logit_bias) && Object.keys(body.logit_bias).length > 0) throw unsupportedParameter("logit_bias");
}

function unsupportedParameter(name: string, hint = "") {
  const message = `Unsupported parameter: '${name}' is not supported with this model.${hint}`;
  return badRequest(message, name, "unsupported_parameter");
}
