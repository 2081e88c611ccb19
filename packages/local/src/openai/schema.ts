import { type Fields, isObject } from "./parameter.ts";
import { looksAround, regexOf } from "./regex.ts";

/** Limits of strict schemas, from OpenAI's structured outputs guide (November 2026). */
const MAX_PROPERTIES = 5000;
const MAX_OBJECT_LEVELS = 10;
const MAX_ENUM_VALUES = 1000;
const MAX_NAME_CHARACTERS = 120_000;
/** An enum of more than 250 strings may hold no more than 15,000 characters. */
const LARGE_ENUM_VALUES = 250;
const LARGE_ENUM_CHARACTERS = 15_000;

const TYPES = ["string", "number", "integer", "boolean", "object", "array", "null"];
const FORMATS = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];
const KEYWORDS = [
  ...["$schema", "$id", "$ref", "$defs", "definitions", "type", "title", "description", "enum", "const", "anyOf"],
  ...["properties", "required", "additionalProperties", "items", "minItems", "maxItems"],
  ...["pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  // Taken since 2026: pydantic/pydantic-ai#7315 and #7400; openai/openai-node#1049.
  ...["minLength", "maxLength", "nullable"],
];

type Context = readonly string[];

/**
 * Why OpenAI would refuse this schema as strict, in its words (`In context=('properties', 'x'), …`), or null. Written
 * from the guide alone, so that it can serve as a cross-check of any other implementation of these rules.
 */
export function strictViolation(schema: Fields): string | null {
  for (const violation of rootViolations(schema)) return violation;
  return null;
}

/** Why OpenAI would refuse these parameters of any function, strict or not, or null. */
export function rootTypeViolation(schema: Fields): string | null {
  if (schema.type === "object") return null;
  const type = schema.type === undefined ? "None" : String(schema.type);
  return `schema must be a JSON Schema of 'type: "object"', got 'type: "${type}"'.`;
}

function* rootViolations(schema: Fields): Generator<string> {
  if (["anyOf", "oneOf", "allOf", "enum", "not"].some((keyword) => keyword in schema))
    yield "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.";
  const rootType = rootTypeViolation(schema);
  if (rootType) yield rootType;
  yield* violations(schema, [], schema, 0);
  yield* sizeViolations(schema);
}

function* violations(schema: unknown, context: Context, root: Fields, levels: number): Generator<string> {
  const at = `In context=${tuple(context)}, `;
  if (!isObject(schema)) {
    yield `${at}schema must be an object.`;
    return;
  }
  const refused = Object.keys(schema).find((keyword) => !KEYWORDS.includes(keyword));
  if (refused !== undefined) yield `${at}'${refused}' is not permitted.`;
  if (schema.$ref !== undefined) yield* refViolations(schema, at, root);
  else yield* typeViolations(schema, context, at);

  const isObjectSchema = typesOf(schema).includes("object") || "properties" in schema;
  const inner = isObjectSchema ? levels + 1 : levels;
  if (isObjectSchema) yield* objectViolations(schema, at);
  if (inner > MAX_OBJECT_LEVELS) yield `${inner} levels of nesting exceeds limit of ${MAX_OBJECT_LEVELS}.`;
  if (typesOf(schema).includes("array") && schema.items === undefined) yield `${at}array schema missing items.`;

  // A definition stands apart from where it is used, so its levels are counted from its own root.
  for (const keyword of ["properties", "$defs", "definitions"])
    for (const [name, child] of Object.entries(fieldsOf(schema[keyword])))
      yield* violations(child, [...context, keyword, name], root, keyword === "properties" ? inner : 0);
  if (schema.items !== undefined) yield* violations(schema.items, [...context, "items"], root, inner);
  if (schema.anyOf !== undefined && !(Array.isArray(schema.anyOf) && schema.anyOf.length > 0))
    yield `${at}'anyOf' must be a non-empty array.`;
  for (const [index, branch] of listOf(schema.anyOf).entries())
    yield* violations(branch, [...context, "anyOf", String(index)], root, inner);
}

function* refViolations(schema: Fields, at: string, root: Fields): Generator<string> {
  const siblings = Object.keys(schema).filter((keyword) => keyword !== "$ref" && keyword !== "$defs");
  if (siblings.length > 0) yield `${at}$ref cannot have keywords {${siblings.map((key) => `'${key}'`).join(", ")}}.`;
  if (resolveRef(schema.$ref, root) === null)
    yield `${at}reference to component '${String(schema.$ref)}' which was not found in the schema.`;
}

function* typeViolations(schema: Fields, context: Context, at: string): Generator<string> {
  const typed = ["type", "anyOf", "enum", "const"].some((keyword) => keyword in schema);
  if (!typed && context.length > 0) yield `${at}schema must have a 'type' key.`;
  const wrong = typesOf(schema).find((type) => !TYPES.includes(type));
  if (wrong !== undefined) yield `${at}'${wrong}' is not a valid type.`;
  if (schema.enum !== undefined && !(Array.isArray(schema.enum) && schema.enum.length > 0))
    yield `${at}'enum' must be a non-empty array.`;
  if (schema.format !== undefined && !FORMATS.includes(String(schema.format)))
    yield `${at}'${String(schema.format)}' is not a valid format.`;
  if (schema.pattern !== undefined && !isPattern(schema.pattern)) yield `${at}'pattern' is not a valid regex.`;
  if (isPattern(schema.pattern) && looksAround(schema.pattern))
    yield `${at}'pattern' uses lookaround, which is not supported.`;
  for (const keyword of ["minLength", "maxLength", "minItems", "maxItems"])
    if (schema[keyword] !== undefined && !(Number.isInteger(schema[keyword]) && Number(schema[keyword]) >= 0))
      yield `${at}'${keyword}' must be a non-negative integer.`;
  if (schema.nullable !== undefined && typeof schema.nullable !== "boolean") yield `${at}'nullable' must be a boolean.`;
}

function* objectViolations(schema: Fields, at: string): Generator<string> {
  if (schema.additionalProperties !== false)
    yield `${at}'additionalProperties' is required to be supplied and to be false.`;
  if (!isObject(schema.properties)) yield `${at}object schema missing properties.`;
  const names = Object.keys(fieldsOf(schema.properties));
  const needed = listOf(schema.required);
  const rule = `${at}'required' is required to be supplied and to be an array including every key in properties.`;
  const missing = names.find((name) => !needed.includes(name));
  if (missing !== undefined) yield `${rule} Missing '${missing}'.`;
  const extra = needed.find((name) => !names.includes(String(name)));
  if (extra !== undefined) yield `${rule} Extra required key '${String(extra)}' supplied.`;
}

function* sizeViolations(schema: Fields): Generator<string> {
  const count = { properties: 0, enumValues: 0, characters: 0 };
  for (const node of nodes(schema)) {
    const names = ["properties", "$defs", "definitions"].flatMap((keyword) => Object.keys(fieldsOf(node[keyword])));
    const values = listOf(node.enum).filter((value) => typeof value === "string");
    const valueCharacters = totalLength(values);
    count.properties += Object.keys(fieldsOf(node.properties)).length;
    count.enumValues += listOf(node.enum).length;
    count.characters += totalLength(names) + valueCharacters + (typeof node.const === "string" ? node.const.length : 0);
    if (values.length > LARGE_ENUM_VALUES && valueCharacters > LARGE_ENUM_CHARACTERS)
      yield `enum with more than ${LARGE_ENUM_VALUES} values exceeds limit of ${LARGE_ENUM_CHARACTERS} characters.`;
  }
  const limits = [
    [count.properties, MAX_PROPERTIES, "object properties"],
    [count.enumValues, MAX_ENUM_VALUES, "enum values"],
    [count.characters, MAX_NAME_CHARACTERS, "characters of names and enum values"],
  ] as const;
  for (const [actual, limit, what] of limits) if (actual > limit) yield `${actual} ${what} exceeds limit of ${limit}.`;
}

/** The schema and every schema inside it. */
function* nodes(schema: unknown): Generator<Fields> {
  if (!isObject(schema)) return;
  yield schema;
  for (const keyword of ["properties", "$defs", "definitions"])
    for (const child of Object.values(fieldsOf(schema[keyword]))) yield* nodes(child);
  for (const child of [schema.items, ...listOf(schema.anyOf)]) yield* nodes(child);
}

/** What a `$ref` such as `#`, `#/$defs/node` or `#/properties/x` points at, or null. */
export function resolveRef(ref: unknown, root: Fields): Fields | null {
  if (typeof ref !== "string" || !ref.startsWith("#")) return null;
  let target: unknown = root;
  for (const step of ref.slice(1).split("/").slice(1)) {
    const key = pointerStep(step);
    target =
      isObject(target) || Array.isArray(target) ? Object.entries(target).find(([name]) => name === key)?.[1] : null;
  }
  return isObject(target) ? target : null;
}

function pointerStep(step: string): string {
  const unescaped = (text: string) => text.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return unescaped(decodeURIComponent(step));
  } catch {
    return unescaped(step);
  }
}

export function typesOf(schema: Fields): string[] {
  return schema.type === undefined ? [] : [schema.type].flat().map(String);
}

export function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function isPattern(pattern: unknown): pattern is string {
  return typeof pattern === "string" && regexOf(pattern) !== null;
}

const totalLength = (texts: string[]) => texts.reduce((sum, text) => sum + text.length, 0);

/** As Python prints a tuple: `()`, `('items',)`, `('properties', 'x')`. */
function tuple(context: Context): string {
  return `(${context.map((step) => `'${step}'`).join(", ")}${context.length === 1 ? "," : ""})`;
}
