import { describe, expect, it } from "vitest";
import { validate } from "../../../packages/core/src/structured/validate.ts";

type Json = Record<string, unknown>;
const object = (properties: Json, more: Json = {}): Json => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const string = { type: "string" };
const of = (schema: Json): Json => object({ a: schema });
const list = object(
  { head: { $ref: "#/$defs/node" } },
  { $defs: { node: { anyOf: [object({ value: string, next: { $ref: "#/$defs/node" } }), { type: "null" }] } } },
);
const shape = {
  anyOf: [object({ kind: { const: "circle" }, radius: { type: "number" } }), object({ kind: { const: "point" } })],
};

describe("a value that fits its schema", () => {
  it.each<[string, Json, unknown]>([
    ["recursion", list, { head: { value: "x", next: { value: "y", next: null } } }],
    ["the root inside itself", object({ kids: { type: "array", items: { $ref: "#" } } }), { kids: [{ kids: [] }] }],
    ["a union of objects", of(shape), { a: { kind: "circle", radius: 1 } }],
    ["a nullable union", of({ type: ["string", "null"] }), { a: null }],
    ["a const that is an object", of({ const: { x: [1] } }), { a: { x: [1] } }],
    ["an enum of several types", of({ enum: ["x", 1, null] }), { a: null }],
    ["1.0 as an integer", of({ type: "integer" }), JSON.parse('{"a": 1.0}')],
    ["a large integer", of({ type: "integer" }), { a: 1e300 }],
    ["0.3 as a multiple of 0.1", of({ type: "number", multipleOf: 0.1 }), { a: 0.3 }],
    ["4.35 as a multiple of 0.01", of({ type: "number", multipleOf: 0.01 }), { a: 4.35 }],
    ["a pattern of Unicode properties", of({ type: "string", pattern: "^\\p{L}+$" }), { a: "éж" }],
    ["a character beyond 16 bits", of({ type: "string", pattern: "^.$" }), { a: "😀" }],
    ["a text of as many code points as allowed", of({ type: "string", minLength: 2, maxLength: 2 }), { a: "😀é" }],
    ["null where it is nullable", of({ type: "string", nullable: true }), { a: null }],
    ["null in a nullable enum", of({ type: "string", enum: ["x"], nullable: true }), { a: null }],
    ["null for a nullable const", of({ type: "string", const: "x", nullable: true }), { a: null }],
    ["null in a nullable union", of({ anyOf: [string], nullable: true }), { a: null }],
    ["null in a nullable choice of one", of({ oneOf: [string, { type: "null" }], nullable: true }), { a: null }],
    [
      "null for a nullable reference, as OpenAPI 3.0 writes it",
      object({ a: { allOf: [{ $ref: "#/$defs/b" }], nullable: true } }, { $defs: { b: string } }),
      { a: null },
    ],
    ["a text where null is allowed, too", of({ type: "string", enum: ["x"], nullable: true }), { a: "x" }],
    ["a date-time", of({ type: "string", format: "date-time" }), { a: "2026-02-03T10:00:00+02:00" }],
    ["a duration", of({ type: "string", format: "duration" }), { a: "P1DT2H" }],
    ["an IPv6 address", of({ type: "string", format: "ipv6" }), { a: "::1" }],
  ])("%s", (_name, schema, value) => expect(validate(schema, value)).toEqual([]));

  it("a property named __proto__", () => {
    const schema = JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"],"additionalProperties":false}',
    );
    expect(validate(schema, JSON.parse('{"__proto__": "x"}'))).toEqual([]);
    expect(validate(schema, {})).toHaveLength(1);
  });
});

describe("a value that does not fit", () => {
  it.each<[string, Json, unknown, string]>([
    ["a wrong type", of(string), { a: 1 }, "a"],
    ["a missing property", of(string), {}, ""],
    ["a missing property named like one of Object's", object({ constructor: string }), {}, ""],
    ["a surplus property", of(string), { a: "", b: 1 }, "b"],
    ["something deep in a recursion", list, { head: { value: "x", next: 3 } }, "head.next"],
    ["an item", of({ type: "array", items: string }), { a: ["x", 1] }, "a[1]"],
    ["an odd name", object({ "unit/price ~": string }), { "unit/price ~": 1 }, '["unit/price ~"]'],
    ["a fraction as integer", of({ type: "integer" }), { a: 1.5 }, "a"],
    ["4.355 as a multiple of 0.01", of({ type: "number", multipleOf: 0.01 }), { a: 4.355 }, "a"],
    ["a const of another type", of({ const: 1 }), { a: "1" }, "a"],
    ["a bound", of({ type: "number", exclusiveMinimum: 0 }), { a: 0 }, "a"],
    ["too few items", of({ type: "array", items: string, minItems: 1 }), { a: [] }, "a"],
    ["30 February", of({ type: "string", format: "date" }), { a: "2026-02-30" }, "a"],
    ["no UUID", of({ type: "string", format: "uuid" }), { a: "x" }, "a"],
  ])("%s, with its path", (_name, schema, value, path) => {
    expect(validate(schema, value).map((problem) => problem.path)).toContain(path);
  });

  it("beyond the strict subset too, for schemas that are not strict", () => {
    const both = { allOf: [{ required: ["a"] }, { required: ["b"] }] };
    expect(validate(both, { a: 1, b: 1 })).toEqual([]);
    expect(validate(both, { a: 1 })).toHaveLength(1);
    const misfits: [Json, unknown][] = [
      [{ oneOf: [{ type: "number" }, { type: "integer" }] }, 1],
      [{ not: string }, "x"],
      [{ $ref: "#/$defs/never", $defs: { never: false } }, 1],
      [{ if: string, else: { type: "number" } }, null],
      [{ type: "array", contains: string }, [1]],
      [{ type: "object", propertyNames: { maxLength: 1 } }, { ab: 1 }],
      [{ type: "object", patternProperties: { "^a": false } }, { ab: 1 }],
      [{ type: "object", additionalProperties: string }, { ab: 1 }],
      [{ type: "array", prefixItems: [string], items: false }, ["x", 1]],
    ];
    for (const [schema, value] of misfits) expect(validate(schema, value), JSON.stringify(schema)).not.toEqual([]);
  });

  it("is too short, too long, null where it is not nullable, or not among what nullable adds null to", () => {
    const misfits: [Json, unknown][] = [
      [of({ type: "string", minLength: 2 }), { a: "😀" }],
      [of({ type: "string", maxLength: 1 }), { a: "ab" }],
      [of({ type: "string", nullable: false }), { a: null }],
      [of({ type: "string", nullable: true }), { a: 1 }],
      [of({ type: "string", enum: ["x"], nullable: true }), { a: "y" }],
      [of({ type: "string", const: "x", nullable: true }), { a: "y" }],
      [of({ oneOf: [string], nullable: true }), { a: 1 }],
    ];
    for (const [schema, value] of misfits) expect(validate(schema, value), JSON.stringify(schema)).not.toEqual([]);
  });

  it("has at most 20 problems", () => {
    const numbers = Array.from({ length: 1_000 }, (_, index) => index);
    expect(validate(of({ type: "array", items: string }), { a: numbers })).toHaveLength(20);
  });
});

describe("a schema that would hang its check", () => {
  const unchecked = [{ path: "", message: expect.stringContaining("could not be checked"), mend: expect.any(String) }];

  it("by a pattern that backtracks", () => {
    expect(validate(of({ type: "string", pattern: "^(a+)+$" }), { a: `${"a".repeat(50)}!` })).toEqual(unchecked);
  });

  it("by a union that branches without end", () => {
    const again = { anyOf: [{ $ref: "#" }, { $ref: "#" }] };
    expect(validate(again, 1)).toEqual(unchecked);
  });

  it("by a union that doubles at every level", () => {
    const branch = (kind: string) => object({ next: { $ref: "#" }, kind: { const: kind } });
    let value: unknown = null;
    for (let level = 0; level < 60; level += 1) value = { kind: "c", next: value };
    expect(validate({ anyOf: [branch("a"), branch("b")] }, value)).toEqual(unchecked);
  });

  it("by its depth or its value's", () => {
    const value = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
    expect(validate({ type: "array", items: { $ref: "#" } }, value)).toEqual(unchecked);
    let deep: Json = string;
    for (let level = 0; level < 100_000; level += 1) deep = { type: "array", items: deep };
    expect(validate(deep, [])).toEqual(unchecked);
  });

  it("by a reference or a pattern that is wrong", () => {
    expect(validate({ $ref: "#/$defs/missing" }, 1)).toEqual(unchecked);
    expect(validate({ type: "string", pattern: "(" }, "x")).toEqual(unchecked);
  });

  it("and leaves the next check, and the schema itself, as they were", () => {
    const schema = Object.freeze(of(string));
    expect(validate(schema, { a: "x" })).toEqual([]);
    expect(Reflect.ownKeys(schema)).toEqual(["type", "properties", "required", "additionalProperties"]);
  });
});
