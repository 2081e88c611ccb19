/** Keywords of JSON Schema (draft 2020-12 and before) by what they hold. Other keywords are left alone. */

/** One schema. */
export const schemaKeywords: ReadonlySet<string> = new Set([
  "items",
  "additionalItems",
  "unevaluatedItems",
  "contains",
  "additionalProperties",
  "unevaluatedProperties",
  "propertyNames",
  "not",
  "if",
  "then",
  "else",
]);

/** A list of schemas. */
export const schemaListKeywords: ReadonlySet<string> = new Set(["anyOf", "allOf", "oneOf", "prefixItems"]);

/** Schemas by name. `$defs` and `definitions` only hold what a `$ref` may lead to. */
export const schemaMapKeywords: ReadonlySet<string> = new Set(["properties", "patternProperties", "dependentSchemas"]);
export const definitionKeywords: ReadonlySet<string> = new Set(["$defs", "definitions"]);

/** Values that are no schemas, whatever they look like. */
export const valueKeywords: ReadonlySet<string> = new Set(["enum", "const", "default", "examples", "example"]);

/** What a keyword's value has to be, and the test. */
export interface Expected {
  is: string;
  test: (value: unknown) => boolean;
}

const isNumber = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);
const aNumber: Expected = { is: "a number", test: isNumber };

/** Keywords that hold a number. */
export const numberKeywords: ReadonlyMap<string, Expected> = new Map([
  ["minimum", aNumber],
  ["maximum", aNumber],
  ["exclusiveMinimum", aNumber],
  ["exclusiveMaximum", aNumber],
  ["multipleOf", { is: "a number above 0", test: (value) => isNumber(value) && Number(value) > 0 }],
]);
