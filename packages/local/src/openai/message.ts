import { badRequest } from "./error.ts";
import { type FilePart, filePartAt } from "./file.ts";
import type { Model } from "./models.ts";
import { arrayAt, closedObjectAt, type Fields, objectAt, oneOfAt, optional, required, stringAt } from "./parameter.ts";
import { typeAt } from "./tool.ts";

export interface Message {
  role: (typeof ROLES)[number];
  name: string | null;
  parts: Part[];
  /** Functions that an assistant message called. */
  toolCalls: ToolCall[];
  /** The call that a `tool` message answers. */
  toolCallId: string | null;
}

export type Part = TextPart | ImagePart | FilePart;

export interface TextPart {
  type: "text";
  text: string;
}

export interface ImagePart {
  type: "image_url";
  url: string;
  detail: Detail;
  /** Where it stands in the request: `messages[0].content[1].image_url`. */
  path: string;
}

export type Detail = (typeof DETAILS)[number];

export interface ToolCall {
  id: string;
  type: "function" | "custom";
  name: string;
  /** A function's as JSON, a custom tool's as the text that it is. */
  input: string;
}

const ROLES = ["system", "assistant", "user", "function", "tool", "developer"] as const;
const DETAILS = ["low", "high", "auto", "original"] as const;
const KEYS = [
  "role",
  "content",
  "name",
  "tool_calls",
  "tool_call_id",
  "refusal",
  "function_call",
  "audio",
  "annotations",
];

/** @throws OpenAIError 400 */
export function messagesAt(value: unknown, model: Model): Message[] {
  const messages = arrayAt(value, "messages", { min: 1 }).map((item, index) =>
    messageAt(item, `messages[${index}]`, model),
  );
  checkToolMessages(messages);
  return messages;
}

function messageAt(value: unknown, path: string, model: Model): Message {
  const fields = closedObjectAt(value, path, KEYS);
  const role = oneOfAt(required(fields, "role", `${path}.role`), `${path}.role`, ROLES);
  const toolCalls = role === "assistant" ? toolCallsAt(fields, path) : [];
  const mayBeEmpty = toolCalls.length > 0 || (role === "assistant" && (fields.refusal ?? fields.function_call) != null);
  return {
    role,
    name: optional(fields.name, (name) => stringAt(name, `${path}.name`, { pattern: /^[^\s<|\\/>]+$/ })),
    parts: partsAt(fields.content, `${path}.content`, role, mayBeEmpty, model),
    toolCalls,
    toolCallId:
      role === "tool"
        ? stringAt(required(fields, "tool_call_id", `${path}.tool_call_id`), `${path}.tool_call_id`)
        : null,
  };
}

function partsAt(content: unknown, path: string, role: string, mayBeEmpty: boolean, model: Model): Part[] {
  if (content === undefined || content === null) {
    if (mayBeEmpty) return [];
    throw badRequest(`Invalid value for 'content': expected a string, got null.`, path, null);
  }
  if (typeof content === "string") return [{ type: "text", text: content }];
  return arrayAt(content, path, { min: 1 }).map((item, index) => partAt(item, `${path}[${index}]`, role, model));
}

function partAt(value: unknown, path: string, role: string, model: Model): Part {
  const fields = objectAt(value, path);
  const supported =
    role === "user" ? ["text", "image_url", "file"] : role === "assistant" ? ["text", "refusal"] : ["text"];
  const type = oneOfAt(required(fields, "type", `${path}.type`), `${path}.type`, supported);
  closedObjectAt(fields, path, ["type", type, "prompt_cache_breakpoint"]);
  optional(fields.prompt_cache_breakpoint, (mark) =>
    closedObjectAt(mark, `${path}.prompt_cache_breakpoint`, ["mode", "ttl"]),
  );
  if (type === "image_url") return imagePartAt(fields, path, model);
  if (type === "file") {
    if (!model.files)
      throw badRequest("Invalid content type. file is only supported by certain models.", `${path}.type`);
    return filePartAt(required(fields, "file", `${path}.file`), `${path}.file`);
  }
  return { type: "text", text: stringAt(required(fields, type, `${path}.${type}`), `${path}.${type}`) };
}

function imagePartAt(fields: Fields, path: string, model: Model): ImagePart {
  if (!model.image)
    throw badRequest("Invalid content type. image_url is only supported by certain models.", `${path}.type`);
  const imagePath = `${path}.image_url`;
  const takesOriginal = model.image.kind === "patch" && model.image.original !== null;
  const supported = DETAILS.filter((detail) => detail !== "original" || takesOriginal);
  const image = closedObjectAt(required(fields, "image_url", imagePath), imagePath, ["url", "detail"]);
  return {
    type: "image_url",
    url: stringAt(required(image, "url", `${imagePath}.url`), `${imagePath}.url`, { min: 1 }),
    detail: optional(image.detail, (detail) => oneOfAt(detail, `${imagePath}.detail`, supported)) ?? "auto",
    path: imagePath,
  };
}

function toolCallsAt(fields: Fields, path: string): ToolCall[] {
  const calls = optional(fields.tool_calls, (value) => arrayAt(value, `${path}.tool_calls`, { min: 1 })) ?? [];
  return calls.map((value, index) => {
    const at = `${path}.tool_calls[${index}]`;
    const call = objectAt(value, at);
    const type = typeAt(call, at);
    const called = objectAt(required(call, type, `${at}.${type}`), `${at}.${type}`);
    const input = type === "custom" ? "input" : "arguments";
    return {
      id: stringAt(required(call, "id", `${at}.id`), `${at}.id`),
      type,
      name: stringAt(required(called, "name", `${at}.${type}.name`), `${at}.${type}.name`),
      input: stringAt(required(called, input, `${at}.${type}.${input}`), `${at}.${type}.${input}`),
    };
  });
}

/** Every `tool` message answers a call of the assistant message before it, and every call is answered. */
function checkToolMessages(messages: Message[]): void {
  let open = new Set<string>();
  let callerIndex = 0;
  for (const [index, message] of messages.entries()) {
    if (message.role === "tool") {
      if (!open.delete(message.toolCallId ?? ""))
        throw badRequest(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `messages.[${index}].role`,
        );
      continue;
    }
    checkAnswered(open, callerIndex);
    open = new Set(message.toolCalls.map((call) => call.id));
    callerIndex = index;
  }
  checkAnswered(open, callerIndex);
}

function checkAnswered(open: Set<string>, callerIndex: number): void {
  if (open.size === 0) return;
  throw badRequest(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...open].join(", ")}`,
    `messages.[${callerIndex + 1}].role`,
  );
}

export function textOf(message: Message): string {
  return message.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
}

export function imagesOf(messages: Message[]): ImagePart[] {
  return messages.flatMap((message) => message.parts.filter((part) => part.type === "image_url"));
}
