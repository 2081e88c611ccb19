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
import { rootTypeViolation, strictViolation } from "./schema.ts";

export interface Tool {
  name: string;
  description: string;
  /** Null for a custom tool, which is called with text. */
  parameters: Fields | null;
}

/** `none`, `auto`, `required`, or the one tool that must be called. */
export type ToolChoice = "none" | "auto" | "required" | { name: string };

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
  return { name, description, parameters };
}

/** Grammars are not simulated: the input is any text. */
function customAt(value: unknown, path: string): Tool {
  const fields = closedObjectAt(value, path, ["name", "description", "format"]);
  const name = stringAt(required(fields, "name", `${path}.name`), `${path}.name`, FUNCTION_NAME);
  const description = optional(fields.description, (text) => stringAt(text, `${path}.description`)) ?? "";
  optional(fields.format, (value) => {
    const format = closedObjectAt(value, `${path}.format`, ["type"]);
    oneOfAt(required(format, "type", `${path}.format.type`), `${path}.format.type`, ["text"]);
  });
  return { name, description, parameters: null };
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
  const type = param === "tool_choice" ? typeAt(choice, param) : null;
  const path = type ? `${param}.${type}` : param;
  const named = type ? objectAt(required(choice, type, path), path) : choice;
  const name = stringAt(required(named, "name", `${path}.name`), `${path}.name`);
  if (!tools.some((tool) => tool.name === name))
    throw badRequest(`Tool choice '${name}' not found in 'tools' parameter.`, param);
  return { name };
}
