import { format as formats } from "@cfworker/json-schema";
import { isJsonObject } from "../json/object.ts";
import {
  definitionKeywords,
  schemaKeywords,
  schemaListKeywords,
  schemaMapKeywords,
  valueKeywords,
} from "./keywords.ts";
import { readPattern } from "./pattern.ts";

type Schema = Record<string, unknown>;

/** Keywords that turn "fits" into "does not fit", so that nothing below them may be left unjudged. */
const reversing: ReadonlyMap<string, readonly string[]> = new Map([
  ["not", ["not"]],
  ["if", ["if", "then", "else"]],
  ["oneOf", ["oneOf"]],
  ["contains", ["contains", "minContains", "maxContains"]],
]);

/**
 * A copy of the schema, as the validator takes it: patterns in JavaScript's dialect, `nullable` in JSON Schema's own words, and no
 * format but those that are known. What cannot be said that way is left out, and then not judged. The validator writes into
 * its schema, so that a copy is needed anyway.
 */
export function inOwnDialect<T extends Schema | boolean>(schema: T): T {
  return (typeof schema === "boolean" ? schema : copySchema(schema).copy) as T;
}

/** `isWhole`: nothing was left out. */
interface Copied {
  copy: Schema;
  isWhole: boolean;
}

function copySchema(schema: Schema): Copied {
  const copy: Schema = {};
  let isWhole = true;
  const whole = (part: { copy: unknown; isWhole: boolean }): unknown => {
    isWhole &&= part.isWhole;
    return part.copy;
  };
  const dropped: string[] = [];
  for (const [keyword, content] of Object.entries(schema)) {
    const part = copyKeyword(keyword, content);
    if (!part.isWhole && reversing.has(keyword)) dropped.push(...(reversing.get(keyword) ?? []));
    define(copy, keyword, whole(part));
  }
  for (const keyword of dropped) delete copy[keyword];
  copyPatterns(schema, copy, () => {
    isWhole = false;
  });
  if (typeof copy.format === "string" && !Object.hasOwn(formats, copy.format)) delete copy.format;
  if (copy.nullable === true) admitNull(copy);
  return { copy, isWhole };
}

function copyKeyword(keyword: string, content: unknown): { copy: unknown; isWhole: boolean } {
  if (valueKeywords.has(keyword)) return { copy: structuredClone(content), isWhole: true };
  if (schemaListKeywords.has(keyword) || (schemaKeywords.has(keyword) && Array.isArray(content))) {
    return copyAll(content);
  }
  if (schemaMapKeywords.has(keyword) || definitionKeywords.has(keyword) || keyword === "dependencies") {
    if (!isJsonObject(content)) return { copy: structuredClone(content), isWhole: true };
    const names = Object.keys(content);
    const { copy, isWhole } = copyAll(Object.values(content));
    const map: Schema = {};
    for (const [index, name] of names.entries()) define(map, name, (copy as unknown[])[index]);
    return { copy: map, isWhole: isWhole || definitionKeywords.has(keyword) };
  }
  // A $ref may lead into a keyword that JSON Schema does not have, such as OpenAPI's "components".
  return isJsonObject(content) ? copySchema(content) : { copy: structuredClone(content), isWhole: true };
}

function copyAll(content: unknown): { copy: unknown; isWhole: boolean } {
  if (!Array.isArray(content)) return { copy: structuredClone(content), isWhole: true };
  const parts = content.map((item) =>
    isJsonObject(item) ? copySchema(item) : { copy: structuredClone(item), isWhole: true },
  );
  return { copy: parts.map((part) => part.copy), isWhole: parts.every((part) => part.isWhole) };
}

/** Plain assignment would lose a name such as `__proto__`. */
function define(object: Schema, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
}

function copyPatterns(schema: Schema, copy: Schema, onLoss: () => void): void {
  if (typeof schema.pattern === "string") {
    const expression = expressionOf(schema.pattern);
    if (expression !== null) copy.pattern = expression;
    else {
      delete copy.pattern;
      onLoss();
    }
  }
  if (!isJsonObject(copy.patternProperties)) return;
  const byExpression: Schema = {};
  for (const [pattern, property] of Object.entries(copy.patternProperties)) {
    const expression = expressionOf(pattern);
    if (expression !== null) define(byExpression, expression, property);
    else {
      onLoss();
      // Properties with these names are not known any more, so that none can be told to be one too many.
      delete copy.additionalProperties;
      delete copy.unevaluatedProperties;
    }
  }
  copy.patternProperties = byExpression;
}

/** A pattern that no dialect takes stays, so that the validator says so. */
function expressionOf(pattern: string): string | null {
  const read = readPattern(pattern);
  return read.ok ? read.expression : pattern;
}

/**
 * Makes null fit, as OpenAI reads `nullable: true`, which its zod helper writes beside a type. Widens each keyword that could refuse
 * null.
 */
function admitNull(schema: Schema): void {
  const orNull = (part: unknown) => ({ anyOf: [part, { type: "null" }] });
  const { type, enum: values, anyOf, oneOf, allOf, $ref } = schema;
  if (type !== undefined) schema.type = [...new Set([type, "null"].flat())];
  if (Array.isArray(values)) schema.enum = [...values, null];
  if (Array.isArray(anyOf)) schema.anyOf = [...anyOf, { type: "null" }];
  const parts = [
    ...(Array.isArray(allOf) ? allOf : []),
    ...(Object.hasOwn(schema, "const") ? [{ const: schema.const }] : []),
    // Null may fit one of them already, and must not fit two.
    ...(oneOf === undefined ? [] : [{ oneOf }]),
    ...($ref === undefined ? [] : [{ $ref }]),
  ];
  for (const keyword of ["const", "oneOf", "$ref"]) delete schema[keyword];
  if (parts.length > 0) schema.allOf = parts.map(orNull);
}
