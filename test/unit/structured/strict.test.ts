import { describe, expect, it } from "vitest";
import { checkSchemaName, checkStrictSchema } from "../../../packages/core/src/structured/strict.ts";

type Json = Record<string, unknown>;

/** An object schema as strict mode wants it. */
const object = (properties: Json, more: Json = {}): Json => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const string = { type: "string" };
const paths = (schema: unknown): string[] => checkStrictSchema(schema).map(({ path }) => path);
const mends = (schema: unknown): (string | undefined)[] => checkStrictSchema(schema).map(({ mend }) => mend);

describe("a strict schema that OpenAI takes", () => {
  const accepted: Record<string, Json> = {
    "every type, bound and annotation": object({
      text: { type: "string", title: "Text", description: "Any text", pattern: "^\\p{L}+$" },
      day: { type: "string", format: "date" },
      score: { type: "number", minimum: 0, maximum: 1, multipleOf: 0.1 },
      count: { type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 10 },
      sure: { type: "boolean" },
      tags: { type: "array", items: string, minItems: 1, maxItems: 5 },
      mood: { type: "string", enum: ["good", "bad"] },
      kind: { const: "a" },
      note: { type: ["string", "null"] },
      either: { anyOf: [string, { type: "null" }, object({ a: string })] },
    }),
    "bounds on a text's length": object({ name: { type: "string", minLength: 0, maxLength: 80 } }),
    "nullable, as OpenAI's own zod helper writes it": object({
      name: { type: "string", nullable: true },
      mood: { type: "string", enum: ["good", "bad", null], nullable: true },
      count: { type: "integer", nullable: false },
    }),
    "recursion through the root": object({ children: { type: "array", items: { $ref: "#" } } }),
    "recursion through definitions": object(
      { list: { $ref: "#/$defs/node" } },
      { $defs: { node: object({ next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } }) } },
    ),
    "definitions under their old name and encoded pointers": object(
      { a: { $ref: "#/definitions/a~1b%20c" } },
      { definitions: { "a/b c": string } },
    ),
    "an object without properties": object({ nothing: object({}) }),
    "a $schema at the root": object({ a: string }, { $schema: "http://json-schema.org/draft-07/schema#" }),
    "properties that are named like keywords and like Object's own": object({
      type: string,
      allOf: string,
      required: string,
      constructor: string,
      toString: string,
    }),
  };
  for (const [name, schema] of Object.entries(accepted)) {
    it(`may have ${name}`, () => expect(checkStrictSchema(schema)).toEqual([]));
  }

  it("may have a property named __proto__", () => {
    const schema = JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"],"additionalProperties":false}',
    );
    expect(checkStrictSchema(schema)).toEqual([]);
    expect(paths({ ...schema, required: [] })).toEqual(["properties.__proto__"]);
  });
});

describe("a strict schema that OpenAI refuses", () => {
  it("names the property that required misses: the reference's own example", () => {
    const schema = {
      type: "object",
      properties: {
        sentiment: string,
        confidence: { type: "number" },
        key_phrases: { type: "array", items: string },
      },
      required: ["sentiment", "confidence"],
      additionalProperties: false,
    };
    expect(checkStrictSchema(schema)).toEqual([
      {
        path: "properties.key_phrases",
        message: expect.stringContaining("requires every property"),
        mend: 'add "key_phrases" to required',
      },
    ]);
  });

  it("has an object at its root, and no union", () => {
    expect(paths({ type: "array", items: string })).toEqual(["type"]);
    expect(paths({ type: ["object", "null"], ...object({ a: string }, { type: ["object", "null"] }) })).toEqual([
      "type",
    ]);
    expect(paths({ anyOf: [object({ a: string })] })).toEqual(["", "anyOf"]);
    expect(paths({ $ref: "#/$defs/a", $defs: { a: object({}) } })).toEqual([""]);
  });

  it("forbids additional properties in every object: properties, items, unions, definitions", () => {
    const open = { type: "object", properties: {}, required: [] };
    const schema = object(
      { a: open, b: { type: "array", items: open && { ...open } }, c: { anyOf: [string, { ...open }] } },
      { $defs: { d: { ...open, additionalProperties: true } } },
    );
    expect(paths(schema)).toEqual([
      "properties.a.additionalProperties",
      "properties.b.items.additionalProperties",
      "properties.c.anyOf[1].additionalProperties",
      "$defs.d.additionalProperties",
    ]);
  });

  it.each([
    ["oneOf", [string], "use anyOf"],
    ["allOf", [string], "merge its schemas into one"],
    ["not", string, "list what is allowed, with enum or anyOf"],
    ["if", string, "use anyOf with one schema for each case"],
    ["then", string, "use anyOf with one schema for each case"],
    ["else", string, "use anyOf with one schema for each case"],
    ["dependentRequired", {}, "use anyOf with one schema for each case"],
    ["dependentSchemas", {}, "use anyOf with one schema for each case"],
    ["patternProperties", {}, "use an array of objects with a key and a value"],
    ["uniqueItems", true, "say it in the description"],
    ["default", "x", "say it in the description"],
  ])("does without %s, and says what to use instead", (keyword, value, mend) => {
    const schema = object({ a: { type: "string", [keyword]: value } });
    expect(checkStrictSchema(schema)).toEqual([
      { path: `properties.a.${keyword}`, message: `Strict mode does not support ${keyword}.`, mend },
    ]);
  });

  it("gives every schema a known type", () => {
    expect(paths(object({ a: {} }))).toEqual(["properties.a"]);
    expect(paths(object({ a: { type: "date" } }))).toEqual(["properties.a.type"]);
    expect(paths(object({ a: { type: ["string", "any"] } }))).toEqual(["properties.a.type[1]"]);
    expect(paths(object({ a: { type: [] } }))).toEqual(["properties.a.type"]);
    expect(paths(object({ a: { type: "array" } }))).toEqual(["properties.a.items"]);
    expect(paths(object({ a: true, b: { type: "array", items: [string] } }))).toEqual([
      "properties.a",
      "properties.b.items",
    ]);
  });

  it("refers only to schemas of its own, by $refs that stand alone and lead somewhere", () => {
    const refer = ($ref: unknown, more: Json = {}) => object({ a: { $ref, ...more } }, { $defs: { b: string } });
    expect(paths(refer("#/$defs/b"))).toEqual([]);
    expect(paths(refer("#/$defs/missing"))).toEqual(["properties.a.$ref"]);
    expect(paths(refer("#/$defs/constructor"))).toEqual(["properties.a.$ref"]);
    expect(paths(refer("https://example.com/schema.json"))).toEqual(["properties.a.$ref"]);
    expect(paths(refer(7))).toEqual(["properties.a.$ref"]);
    expect(paths(refer("#/$defs/b", { description: "B" }))).toEqual(["properties.a"]);
    const loop = object(
      { a: { $ref: "#/$defs/b" } },
      { $defs: { b: { $ref: "#/$defs/c" }, c: { $ref: "#/$defs/b" } } },
    );
    expect(paths(loop)).toEqual(["properties.a.$ref", "$defs.b.$ref", "$defs.c.$ref"]);
  });

  it("has enums whose values fit their type, known formats, and patterns that are regular expressions", () => {
    expect(paths(object({ a: { type: "string", enum: ["x", null] } }))).toEqual(["properties.a.enum[1]"]);
    expect(paths(object({ a: { type: "string", enum: [] } }))).toEqual(["properties.a.enum"]);
    expect(paths(object({ a: { type: "string", format: "uri" } }))).toEqual(["properties.a.format"]);
    expect(paths(object({ a: { type: "string", pattern: "(?P<x>a" } }))).toEqual(["properties.a.pattern"]);
    expect(paths(object({ a: { type: "number", minimum: "0", multipleOf: 0 } }))).toEqual([
      "properties.a.minimum",
      "properties.a.multipleOf",
    ]);
  });

  it("bounds a text's length by whole numbers, and is nullable or not", () => {
    const bounded = (more: Json) => paths(object({ a: { type: "string", ...more } }));
    for (const count of [-1, 1.5, "1", null]) {
      expect(bounded({ minLength: count })).toEqual(["properties.a.minLength"]);
      expect(bounded({ maxLength: count })).toEqual(["properties.a.maxLength"]);
    }
    for (const flag of ["true", 1, null]) expect(bounded({ nullable: flag })).toEqual(["properties.a.nullable"]);
  });

  // OpenAI: "Invalid JSON schema: regex lookaround is not supported" (opencode#32073, 2026-06).
  it.each(["^(?=a).*$", "(?!a)b", "(?<=a)b", "(?<!a)b", "^((?!x).)*$"])("has no lookaround: %s", (pattern) => {
    expect(checkStrictSchema(object({ a: { type: "string", pattern } }))).toEqual([
      {
        path: "properties.a.pattern",
        message: "Strict mode does not support lookaround: (?=, (?!, (?<= and (?<!.",
        mend: expect.any(String),
      },
    ]);
  });

  it.each(["\\(?=a", "[(?!]", "(?:a)", "(?<name>a)"])("takes for no lookaround what is none: %s", (pattern) => {
    expect(paths(object({ a: { type: "string", pattern } }))).toEqual([]);
  });

  it("names in required only what is in properties", () => {
    expect(paths(object({ a: string }, { required: ["a", "b"] }))).toEqual(["required[1]"]);
    expect(paths(object({ a: string }, { required: "a" }))).toEqual(["properties.a", "required"]);
  });

  it("lists all problems at once in document order, each with its own path", () => {
    const schema = {
      type: "object",
      properties: {
        "unit price": { type: "money" },
        items: {
          type: "array",
          items: { type: "object", properties: { name: { type: "string", uniqueItems: true } } },
        },
      },
      required: ["items"],
      additionalProperties: true,
    };
    expect(paths(schema)).toEqual([
      "additionalProperties",
      'properties["unit price"]',
      'properties["unit price"].type',
      "properties.items.items.additionalProperties",
      "properties.items.items.properties.name",
      "properties.items.items.properties.name.uniqueItems",
    ]);
  });

  it("says at the end how many properties, characters and enum values there are too many", () => {
    const named = (count: number, prefix: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, string]));
    const message = (schema: Json): string | undefined => checkStrictSchema(schema).at(-1)?.message;
    expect(checkStrictSchema(object(named(5_000, "p")))).toEqual([]);
    expect(message(object(named(5_001, "p")))).toContain("at most 5000 properties; this one has 5001");
    expect(message(object(named(1_300, "p".repeat(100))))).toContain("at most 120000 characters");
    const values = Array.from({ length: 501 }, (_, index) => index);
    const enums = { a: { type: "integer", enum: values }, b: { type: "integer", enum: values } };
    expect(message(object(enums))).toContain("at most 1000 enum values; this one has 1002");
    const long = { type: "string", enum: Array.from({ length: 251 }, (_, index) => `${index}${"x".repeat(60)}`) };
    expect(paths(object({ a: long }))).toEqual(["properties.a.enum"]);
  });

  it("nests objects ten levels deep and no deeper", () => {
    const nested = (levels: number): Json => object({ down: levels === 1 ? string : nested(levels - 1) });
    expect(paths(nested(10))).toEqual([]);
    expect(paths(nested(11))).toEqual([Array(10).fill("properties.down").join(".")]);
  });
});

describe("a hostile schema", () => {
  it("is answered, whatever it is", () => {
    for (const schema of [undefined, null, true, 1, "x", [], () => 1])
      expect(checkStrictSchema(schema)).toHaveLength(1);
    for (const keyword of ["properties", "required", "items", "anyOf", "$defs", "$ref", "enum", "pattern", "format"]) {
      for (const value of [null, true, 1, "", [], [null], {}, { a: null }]) {
        expect(
          Array.isArray(checkStrictSchema({ type: "object", additionalProperties: false, [keyword]: value })),
        ).toBe(true);
      }
    }
  });

  it("may nest 100,000 levels deep, contain itself, or have a name of a megabyte", () => {
    let deep: Json = string;
    for (let level = 0; level < 100_000; level += 1) deep = { type: "array", items: deep };
    expect(checkStrictSchema(object({ deep }))).toHaveLength(1);
    const self: Json = object({});
    self.properties = { self, again: { anyOf: [self, self] } };
    self.required = ["self", "again"];
    expect(checkStrictSchema(self)).toEqual([]);
    const [problem] = checkStrictSchema(object({ ["x".repeat(1_000_000)]: {} }));
    expect(problem?.path.length).toBeLessThan(200);
  });

  it("gets at most 100 problems and the number of the rest", () => {
    const names = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`p${index}`, string]));
    const problems = checkStrictSchema({ ...object(names), required: [] });
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)?.message).toBe("200 more problems.");
    expect(mends({ ...object(names), required: [] }).at(0)).toBe('add "p0" to required');
  });

  it("may refer 20,000 times along one chain of references", () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [`d${index}`, { $ref: `#/$defs/d${index + 1}` }]),
    );
    expect(checkStrictSchema(object({}, { $defs })).length).toBeGreaterThan(0);
  });
});

describe("checkSchemaName", () => {
  it("takes 1 to 64 letters, digits, underscores and hyphens, and nothing else", () => {
    for (const name of ["a", "sentiment_analysis", "A-1", "x".repeat(64)]) expect(checkSchemaName(name)).toEqual([]);
    for (const name of ["", "a b", "é", "x".repeat(65), "a\n", 1, undefined])
      expect(checkSchemaName(name)).toHaveLength(1);
  });
});
