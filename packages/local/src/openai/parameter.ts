import { badRequest } from "./error.ts";

/** Checks of single parameters; each returns the value typed, or throws the 400 that OpenAI gives, naming the path. */
export type Fields = Record<string, unknown>;

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** OpenAI takes `null` for an absent optional parameter. */
export function optional<T>(value: unknown, check: (value: unknown) => T): T | null {
  return value === undefined || value === null ? null : check(value);
}

export function required(fields: Fields, key: string, path: string): unknown {
  const value = fields[key];
  if (value === undefined)
    throw badRequest(`Missing required parameter: '${path}'.`, path, "missing_required_parameter");
  return value;
}

export function stringAt(value: unknown, path: string, { min = 0, max = Infinity, pattern = /(?:)/ } = {}): string {
  if (typeof value !== "string") throw wrongType(path, "a string", value);
  const length = value.length;
  if (length < min)
    throw badRequest(
      `Invalid '${path}': empty string. Expected a string with minimum length ${min}, but got an empty string instead.`,
      path,
      "empty_string",
    );
  if (length > max)
    throw badRequest(
      `Invalid '${path}': string too long. Expected a string with maximum length ${max}, but got a string with length ${length} instead.`,
      path,
      "string_above_max_length",
    );
  if (!pattern.test(value))
    throw badRequest(
      `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '${pattern.source}'.`,
      path,
      "invalid_value",
    );
  return value;
}

export function booleanAt(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") throw wrongType(path, "a boolean", value);
  return value;
}

export function decimalAt(value: unknown, path: string, range: { min: number; max: number }): number {
  if (typeof value !== "number") throw wrongType(path, "a decimal", value);
  return inRange(value, path, range, "decimal");
}

export function integerAt(value: unknown, path: string, { min = -Infinity, max = Infinity } = {}): number {
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(path, "an integer", value);
  return inRange(value, path, { min, max }, "integer");
}

function inRange(value: number, path: string, { min, max }: { min: number; max: number }, kind: string): number {
  if (value < min)
    throw badRequest(
      `Invalid '${path}': ${kind} below minimum value. Expected a value >= ${min}, but got ${value} instead.`,
      path,
      `${kind}_below_min_value`,
    );
  if (value > max)
    throw badRequest(
      `Invalid '${path}': ${kind} above maximum value. Expected a value <= ${max}, but got ${value} instead.`,
      path,
      `${kind}_above_max_value`,
    );
  return value;
}

export function arrayAt(value: unknown, path: string, { min = 0, max = Infinity } = {}): unknown[] {
  if (!Array.isArray(value)) throw wrongType(path, "an array", value);
  if (value.length < min)
    throw badRequest(
      `Invalid '${path}': empty array. Expected an array with minimum length ${min}, but got an empty array instead.`,
      path,
      "empty_array",
    );
  if (value.length > max)
    throw badRequest(
      `Invalid '${path}': array too long. Expected an array with maximum length ${max}, but got an array with length ${value.length} instead.`,
      path,
      "array_above_max_length",
    );
  return value;
}

export function objectAt(value: unknown, path: string): Fields {
  if (!isObject(value)) throw wrongType(path, "an object", value);
  return value;
}

/** An object that has no keys but `known`. */
export function closedObjectAt(value: unknown, path: string, known: readonly string[]): Fields {
  const fields = objectAt(value, path);
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const param = `${path}.${unknown}`;
    throw badRequest(`Unknown parameter: '${param}'.`, param, "unknown_parameter");
  }
  return fields;
}

export function oneOfAt<T extends string>(value: unknown, path: string, supported: readonly T[]): T {
  const text = stringAt(value, path);
  const found = supported.find((candidate) => candidate === text);
  if (found !== undefined) return found;
  throw badRequest(`Invalid value: '${text}'. Supported values are: ${listed(supported)}.`, path, "invalid_value");
}

/** `'a', 'b', and 'c'`, as OpenAI lists supported values. */
export function listed(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  if (quoted.length < 3) return quoted.join(" and ");
  return `${quoted.slice(0, -1).join(", ")}, and ${quoted.at(-1)}`;
}

export function wrongType(path: string, expected: string, value: unknown) {
  return badRequest(
    `Invalid type for '${path}': expected ${expected}, but got ${typeName(value)} instead.`,
    path,
    "invalid_type",
  );
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number") return Number.isInteger(value) ? "an integer" : "a decimal number";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
