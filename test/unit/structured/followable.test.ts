import { describe, expect, it } from "vitest";
import { checkFollowable } from "../../../packages/core/src/structured/followable.ts";
import { validate } from "../../../packages/core/src/structured/validate.ts";

const paths = (schema: unknown): string[] => checkFollowable(schema).map(({ path }) => path);
const of = (property: unknown, more: object = {}) => ({ type: "object", properties: { a: property }, ...more });

describe("a schema by which no answer could be judged", () => {
  it.each<[string, unknown, string]>([
    ["a pattern that is broken", of({ type: "string", pattern: "(" }), "properties.a.pattern"],
    ["a pattern that is no string", of({ pattern: 7 }), "properties.a.pattern"],
    ["a broken pattern of names", { patternProperties: { "[": {} } }, 'patternProperties["["]'],
    ["a $ref to nothing", of({ $ref: "#/$defs/missing" }), "properties.a.$ref"],
    ["a $ref to another document", of({ $ref: "https://example.com/a.json" }), "properties.a.$ref"],
    ["a $ref that is no string", of({ $ref: 7 }), "properties.a.$ref"],
    [
      "a $ref that leads to a broken schema",
      of({ $ref: "#/$defs/b" }, { $defs: { b: { type: "x" } } }),
      "#/$defs/b.type",
    ],
    ["an unknown type", of({ type: "strin" }), "properties.a.type"],
    ["an unknown type among others", of({ type: ["string", "any"] }), "properties.a.type[1]"],
    ["no type at all", of({ type: [] }), "properties.a.type"],
    ["a schema that is none", of("string"), "properties.a"],
    ["properties that are a list", { properties: [] }, "properties"],
    ["a union that is no list", of({ anyOf: {} }), "properties.a.anyOf"],
    ["required as a flag, as drafts before 4 had it", of({ required: true }), "properties.a.required"],
    ["required with a number", of({ required: [1] }), "properties.a.required"],
    ["an enum that is no list", of({ enum: "a" }), "properties.a.enum"],
    ["a bound that is a flag, as draft 4 had it", of({ exclusiveMinimum: true }), "properties.a.exclusiveMinimum"],
    ["a multiple of nothing", of({ multipleOf: 0 }), "properties.a.multipleOf"],
    ["a length below 0", of({ maxLength: -1 }), "properties.a.maxLength"],
    ["a dependency that is none", of({}, { dependencies: { a: "b" } }), "dependencies.a"],
    ["dependent names that are a text", { dependentRequired: { a: "b" } }, "dependentRequired.a"],
    ["a circle of references", of({ $ref: "#/properties/a" }), "properties.a"],
    ["a union that only leads to itself", { anyOf: [{ $ref: "#" }, { type: "null" }] }, "anyOf[0]"],
    ["an $id that is no address", of({}, { $id: "http://[" }), ""],
  ])("has %s, and its path is named", (_, schema, path) => {
    expect(paths(schema)).toContain(path);
    expect(checkFollowable(schema)[0]?.message).toMatch(/\.$/);
  });

  it("has a chain of references without end to speak of, which takes no longer to find than a check may", () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [`d${index}`, { $ref: `#/$defs/d${index + 1}` }]),
    );
    expect(checkFollowable({ $ref: "#/$defs/d0", $defs: { ...$defs, d20000: {} } })).toHaveLength(1);
  });
});

describe("a schema by which answers can be judged", () => {
  it.each<[string, object, unknown]>([
    ["keywords that nobody knows, whatever they hold", of({ "x-note": { $ref: "no" }, foo: [1] }), { a: 1 }],
    ["a broken definition that nothing refers to", of({}, { $defs: { b: { type: "x", pattern: "(" } } }), { a: 1 }],
    ["recursion", of({ anyOf: [{ $ref: "#" }, { type: "null" }] }), { a: { a: null } }],
    ["$id and $anchor", of({ $ref: "#b" }, { $defs: { x: { $anchor: "b", type: "number" } } }), { a: 1 }],
    ["a schema under an $id", of({ $ref: "b" }, { $id: "https://e.com/a", $defs: { x: { $id: "b" } } }), { a: 1 }],
    ["a $ref into OpenAPI's components", of({ $ref: "#/components/b" }, { components: { b: {} } }), { a: 1 }],
    ["lookaround, which only strict mode refuses", of({ pattern: "^(?=a)" }), { a: "ab" }],
    ["a list of items, as drafts before 2020-12 had it", of({ items: [{ type: "string" }] }), { a: ["x"] }],
    ["formats that nobody knows", of({ format: "__proto__" }), { a: "x" }],
    ["formats named like methods", of({ format: "hasOwnProperty" }), { a: "x" }],
    ["dependencies of both kinds", of({}, { dependencies: { a: ["a"], b: { type: "object" } } }), { a: 1 }],
    ["booleans", of(true, { additionalProperties: false }), { a: 1 }],
    ["a property that is named like a keyword", { properties: { pattern: { type: "string" } } }, { pattern: "(" }],
    [
      "values that look like schemas",
      of({ enum: [{ $ref: "no", pattern: "(" }] }),
      { a: { $ref: "no", pattern: "(" } },
    ],
  ])("may have %s", (_, schema, value) => {
    expect(checkFollowable(schema)).toEqual([]);
    expect(validate(schema as Record<string, unknown>, value)).toEqual([]);
  });
});
