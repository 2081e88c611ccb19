import { type Expected, numberKeywords } from "./keywords.ts";

/**
 * What strict mode makes of JSON Schema's keywords. Sources: OpenAI's guide "Structured model outputs", section
 * "Supported schemas", and the 400s that the API is known to answer; checked 2026-11. `minLength` and `maxLength` were probed live
 * (pydantic-ai#7315 and #7400), and `nullable` is what OpenAI's own zod helper writes (openai-node#1049); both 2026-11.
 */

export const jsonTypes = new Set(["string", "number", "integer", "boolean", "object", "array", "null"]);

export const formats = new Set(["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]);

const perCase = "use anyOf with one schema for each case";
const inDescription = "say it in the description";
const leaveOut = "leave it out";

/**
 * Keywords that strict mode refuses, and what to write in their place. A keyword that stands neither here nor below is
 * left to OpenAI to judge, whose 400 costs no tokens either.
 */
export const unsupported: ReadonlyMap<string, string> = new Map([
  ["allOf", "merge its schemas into one"],
  ["oneOf", "use anyOf"],
  ["not", "list what is allowed, with enum or anyOf"],
  ["if", perCase],
  ["then", perCase],
  ["else", perCase],
  ["dependentRequired", perCase],
  ["dependentSchemas", perCase],
  ["dependencies", perCase],
  ["patternProperties", "use an array of objects with a key and a value"],
  ["propertyNames", "use an array of objects with a key and a value"],
  ["minProperties", "name every property in properties"],
  ["maxProperties", "name every property in properties"],
  ["unevaluatedProperties", "use additionalProperties: false"],
  ["unevaluatedItems", leaveOut],
  ["additionalItems", leaveOut],
  ["prefixItems", "use an object with one property for each position"],
  ["contains", inDescription],
  ["minContains", inDescription],
  ["maxContains", inDescription],
  ["uniqueItems", inDescription],
  ["default", inDescription],
  ["examples", inDescription],
  ["readOnly", leaveOut],
  ["writeOnly", leaveOut],
  ["contentEncoding", leaveOut],
  ["contentMediaType", leaveOut],
  ["contentSchema", leaveOut],
  ["$id", leaveOut],
  ["$anchor", 'put the schema in $defs and refer to it as "#/$defs/<name>"'],
  ["$dynamicAnchor", 'put the schema in $defs and refer to it as "#/$defs/<name>"'],
  ["$dynamicRef", 'use $ref, such as "#/$defs/<name>"'],
  ["$recursiveRef", 'use $ref: "#"'],
]);

const isText = (value: unknown): boolean => typeof value === "string";
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** Keywords whose value is a plain one: what it has to be, and the test. */
export const plainKeywords: ReadonlyMap<string, Expected> = new Map([
  ["title", { is: "a string", test: isText }],
  ["description", { is: "a string", test: isText }],
  ...numberKeywords,
  ["minItems", { is: "a whole number, 0 or more", test: isCount }],
  ["maxItems", { is: "a whole number, 0 or more", test: isCount }],
  ["minLength", { is: "a whole number, 0 or more", test: isCount }],
  ["maxLength", { is: "a whole number, 0 or more", test: isCount }],
  ["nullable", { is: "true or false", test: (value) => typeof value === "boolean" }],
]);
