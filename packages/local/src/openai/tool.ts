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
  parameters: Fields;
}

/** `none`, `auto`, `required`, or the one function that must be called. */
export type ToolChoice = "none" | "auto" | "required" | { name: string };

const MODES = ["none", "auto", "required"] as const;
const MAX_TOOLS = 128;
const FUNCTION_NAME = { min: 1, max: 64, pattern: /^[a-zA-Z0-9_-]+$/ };
const NO_PARAMETERS = { type: "object", properties: {} };

export function toolsAt(value: unknown): Tool[] {
  return arrayAt(value, "tools", { min: 1, max: MAX_TOOLS }).map((item, index) => {
    const path = `tools[${index}]`;
    const tool = closedObjectAt(item, path, ["type", "function"]);
    oneOfAt(required(tool, "type", `${path}.type`), `${path}.type`, ["function"]);
    return functionAt(required(tool, "function", `${path}.function`), `${path}.function`);
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

/** `tool_choice`, or the deprecated `function_call`, whose named form has no `type`. */
export function toolChoiceAt(value: unknown, param: "tool_choice" | "function_call", tools: Tool[]): ToolChoice {
  if (tools.length === 0) {
    const list = param === "tool_choice" ? "tools" : "functions";
    throw badRequest(`'${param}' is only allowed when '${list}' are specified.`, param);
  }
  if (typeof value === "string") return oneOfAt(value, param, MODES);
  const choice = objectAt(value, param);
  if (param === "tool_choice") oneOfAt(required(choice, "type", `${param}.type`), `${param}.type`, ["function"]);
  const path = param === "tool_choice" ? `${param}.function` : param;
  const named = param === "tool_choice" ? objectAt(required(choice, "function", path), path) : choice;
  const name = stringAt(required(named, "name", `${path}.name`), `${path}.name`);
  if (!tools.some((tool) => tool.name === name))
    throw badRequest(`Tool choice '${name}' not found in 'tools' parameter.`, param);
  return { name };
}
