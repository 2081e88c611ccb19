import { badRequest } from "./error.ts";
import {
  arrayAt,
  booleanAt,
  closedObjectAt,
  type Fields,
  objectAt,
  oneOfAt,
  optional,
  required,
  stringAt,
} from "./parameter.ts";
import { isPattern, rootTypeViolation, strictViolation } from "./schema.ts";

export interface Tool {
  name: string;
  description: string;
  /** Null for a custom tool, which is called with text. */
  parameters: Fields | null;
  /** A regular expression that a custom tool's text has to match; null for any text. */
  inputPattern: string | null;
}

/** `none`, `auto`, `required`, or the one tool that must be called. */
export type ToolChoice = "none" | "auto" | "required" | { name: string } | AllowedTools;

/** `allowed_tools`: of all tools, only these may be called. */
export interface AllowedTools {
  mode: "auto" | "required";
  names: string[];
}

const MODES = ["none", "auto", "required"] as const;
const MAX_TOOLS = 128;
const FUNCTION_NAME = { min: 1, max: 64, pattern: /^[a-zA-Z0-9_-]+$/ };
const NO_PARAMETERS = { type: "object", properties: {} };

export function toolsAt(value: unknown): Tool[] {
  return arrayAt(value, "tools", { min: 1, max: MAX_TOOLS }).map((item, index) => {
    const path = `tools[${index}]`;
    const type = typeAt(objectAt(item, path), path);
    const tool = required(closedObjectAt(item, path, ["type", type]), type, `${path}.${type}`);
    return type === "custom" ? customAt(tool, `${path}.custom`) : functionAt(tool, `${path}.function`);
  });
}

/** The deprecated `functions`, each written without the `{type, function}` around it. */
export function functionsAt(value: unknown): Tool[] {
  return arrayAt(value, "functions", { min: 1, max: MAX_TOOLS }).map((item, index) =>
    functionAt(item, `functions[${index}]`),
  );
}

function functionAt(value: unknown, path: string): Tool {
  const fields = closedObjectAt(value, path, ["name", "description", "parameters", "strict"]);
  const name = stringAt(required(fields, "name", `${path}.name`), `${path}.name`, FUNCTION_NAME);
  const description = optional(fields.description, (text) => stringAt(text, `${path}.description`)) ?? "";
  const strict = optional(fields.strict, (flag) => booleanAt(flag, `${path}.strict`)) ?? false;
  const parameters = optional(fields.parameters, (schema) => objectAt(schema, `${path}.parameters`)) ?? NO_PARAMETERS;
  const violation = rootTypeViolation(parameters) ?? (strict ? strictViolation(parameters) : null);
  if (violation)
    throw badRequest(
      `Invalid schema for function '${name}': ${violation}`,
      `${path}.parameters`,
      "invalid_function_parameters",
    );
  return { name, description, parameters, inputPattern: null };
}

/** The input of a tool honours a `regex` grammar; that of one with a `lark` grammar is any text. */
function customAt(value: unknown, path: string): Tool {
  const fields = closedObjectAt(value, path, ["name", "description", "format"]);
  const name = stringAt(required(fields, "name", `${path}.name`), `${path}.name`, FUNCTION_NAME);
  const description = optional(fields.description, (text) => stringAt(text, `${path}.description`)) ?? "";
  const inputPattern = optional(fields.format, (format) => formatAt(format, `${path}.format`));
  return { name, description, parameters: null, inputPattern };
}

/** A custom tool's input: text, or text by a grammar. @returns the regular expression, if it is one */
function formatAt(value: unknown, path: string): string | null {
  const fields = objectAt(value, path);
  const type = oneOfAt(required(fields, "type", `${path}.type`), `${path}.type`, ["text", "grammar"]);
  if (type === "text") {
    closedObjectAt(fields, path, ["type"]);
    return null;
  }
  closedObjectAt(fields, path, ["type", "grammar"]);
  const at = `${path}.grammar`;
  const grammar = closedObjectAt(required(fields, "grammar", at), at, ["syntax", "definition"]);
  const syntax = oneOfAt(required(grammar, "syntax", `${at}.syntax`), `${at}.syntax`, ["lark", "regex"]);
  const definition = stringAt(required(grammar, "definition", `${at}.definition`), `${at}.definition`, { min: 1 });
  if (syntax === "lark") {
    if (!/^\s*start\s*:/m.test(definition))
      throw badRequest(`Invalid grammar: the Lark grammar has no rule 'start'.`, `${at}.definition`, "invalid_grammar");
    return null;
  }
  if (!isPattern(definition))
    throw badRequest(
      "Invalid grammar: the definition is not a valid regular expression.",
      `${at}.definition`,
      "invalid_grammar",
    );
  return definition;
}

/** What a tool, a call or a choice of one is, which is also the name of the field that holds it. */
export const typeAt = (fields: Fields, path: string) =>
  oneOfAt(required(fields, "type", `${path}.type`), `${path}.type`, ["function", "custom"] as const);

/** `tool_choice`, or the deprecated `function_call`, whose named form has no `type`. */
export function toolChoiceAt(value: unknown, param: "tool_choice" | "function_call", tools: Tool[]): ToolChoice {
  if (tools.length === 0) {
    const list = param === "tool_choice" ? "tools" : "functions";
    throw badRequest(`'${param}' is only allowed when '${list}' are specified.`, param);
  }
  if (typeof value === "string") return oneOfAt(value, param, MODES);
  const choice = objectAt(value, param);
  if (param === "tool_choice" && choice.type === "allowed_tools") return allowedToolsAt(choice, tools);
  const type = param === "tool_choice" ? typeAt(choice, param) : null;
  const path = type ? `${param}.${type}` : param;
  const named = type ? objectAt(required(choice, type, path), path) : choice;
  const name = stringAt(required(named, "name", `${path}.name`), `${path}.name`);
  if (!tools.some((tool) => tool.name === name))
    throw badRequest(`Tool choice '${name}' not found in 'tools' parameter.`, param);
  return { name };
}

function allowedToolsAt(choice: Fields, tools: Tool[]): AllowedTools {
  closedObjectAt(choice, "tool_choice", ["type", "allowed_tools"]);
  const path = "tool_choice.allowed_tools";
  const allowed = closedObjectAt(required(choice, "allowed_tools", path), path, ["mode", "tools"]);
  const mode = oneOfAt(required(allowed, "mode", `${path}.mode`), `${path}.mode`, ["auto", "required"]);
  const list = arrayAt(required(allowed, "tools", `${path}.tools`), `${path}.tools`, { min: 1, max: MAX_TOOLS });
  const names = list.map((item, index) => {
    const at = `${path}.tools[${index}]`;
    const fields = objectAt(item, at);
    const type = typeAt(fields, at);
    const named = objectAt(required(fields, type, `${at}.${type}`), `${at}.${type}`);
    const name = stringAt(required(named, "name", `${at}.${type}.name`), `${at}.${type}.name`);
    if (!tools.some((tool) => tool.name === name))
      throw badRequest(`Tool choice '${name}' not found in 'tools' parameter.`, "tool_choice");
    return name;
  });
  return { mode, names };
}
