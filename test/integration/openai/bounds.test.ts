import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instanceOf } from "../../../packages/local/src/openai/instance.ts";
import { strictViolation } from "../../../packages/local/src/openai/schema.ts";
import { subjectOf } from "../../../packages/local/src/openai/subject.ts";
import { choiceIn, saying, simulate, wire } from "./simulation.ts";

const openai = await simulate();

const object = (properties: object) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const asking = (schema: object, strict = true) =>
  saying(`It is fine. ${"a".repeat(40)}!`, {
    response_format: { type: "json_schema", json_schema: { name: "x", strict, schema } },
  });

/** The answer to a schema, or the refusal. */
async function answerTo(schema: object, strict = true) {
  const response = await openai.post(asking(schema, strict));
  if (response.status !== 200) return { status: response.status, message: (await wire(response)).error.message };
  return { status: 200, value: JSON.parse((await choiceIn(response)).content) };
}

const text = { type: "string" };
const nest = (schema: object, levels: number): object =>
  levels === 0 ? schema : nest({ type: "array", items: schema, minItems: 30 }, levels - 1);

describe("a schema that asks for too much", () => {
  it.each<[string, object]>([
    ["a billion items", object({ a: { type: "array", items: text, minItems: 1_000_000_000 } })],
    ["a billion characters", object({ a: { type: "string", minLength: 1_000_000_000 } })],
    ["lists of lists of lists", object({ a: nest(text, 8) })],
    [
      "a branch that never ends beside one that never ends",
      {
        ...object({ a: { $ref: "#/$defs/a" } }),
        $defs: {
          a: { anyOf: [{ $ref: "#/$defs/b" }, { $ref: "#/$defs/b" }] },
          b: { anyOf: [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/a" }] },
        },
      },
    ],
    ["a definition that is itself", { ...object({ a: { $ref: "#/$defs/a" } }), $defs: { a: { $ref: "#/$defs/a" } } }],
  ])("is refused with 400 when it is %s, and the next request is answered", async (_, schema) => {
    const refusal = await answerTo(schema);
    expect(refusal.status).toBe(400);
    expect(refusal.message).toMatch(/^Invalid schema for response_format 'x'/);
    expect((await openai.post(saying("hi"))).status).toBe(200);
  });

  it.each<[string, object]>([
    ["a pattern that backtracks for ever", { type: "string", pattern: "^(a+)+$" }],
    ["a pattern of a million letters", { type: "string", pattern: "^(((a{100}){100}){100})$" }],
    ["the smallest multipleOf", { type: "number", multipleOf: 5e-324 }],
    ["the largest multipleOf", { type: "number", multipleOf: 1e308 }],
    ["a multipleOf of 0", { type: "number", multipleOf: 0 }],
    ["a minimum above the maximum", { type: "integer", minimum: 9, maximum: 1 }],
    ["the largest minimum", { type: "number", minimum: 1.7e308 }],
    ["a long text of some length", { type: "string", minLength: 5_000, maxLength: 6_000 }],
    ["two thousand items", { type: "array", items: text, minItems: 2_000 }],
  ])("is answered in time when it is %s", async (_, property) => {
    const { status, value } = await answerTo(object({ a: property }));
    expect(status).toBe(200);
    expect(value.a).not.toBeNull();
  });

  it("is answered once for 128 choices", async () => {
    const schema = object({ a: { type: "array", items: text, minItems: 2_000 } });
    const { choices } = await wire(await openai.post({ ...asking(schema), n: 128 }));
    expect(choices).toHaveLength(128);
  });
});

describe("a strict schema", () => {
  const violation = async (property: object) => (await answerTo(object({ a: property }))).message ?? null;

  it("may bound the length of a text, and the answer keeps to it", async () => {
    const { value } = await answerTo(
      object({ short: { type: "string", maxLength: 3 }, long: { type: "string", minLength: 200 } }),
    );
    expect(value.short.length).toBeLessThanOrEqual(3);
    expect(value.long.length).toBeGreaterThanOrEqual(200);
  });

  it("may say nullable, and a recursion ends by it", async () => {
    const schema = {
      ...object({ a: { type: "string", nullable: true }, next: { $ref: "#/$defs/node" } }),
      $defs: { node: { ...object({ next: { $ref: "#/$defs/node" } }), nullable: true } },
    };
    const { status, value } = await answerTo(schema);
    expect(status).toBe(200);
    expect(typeof value.a).toBe("string");
    expect(JSON.stringify(value.next)).toMatch(/null/);
  });

  it.each(["(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", "^(?:x(?!y))$"])(
    "is refused for the lookaround %s",
    async (pattern) => {
      expect(await violation({ type: "string", pattern })).toMatch(/lookaround/);
    },
  );

  it.each(["^[\\w.\\-]+\\@[a-z]+\\.com$", "^\\d{4}\\-\\d\\d$", "^a\\:b$", "[(?=]", "\\(?=x"])(
    "takes the pattern %s, and the answer matches it",
    async (pattern) => {
      const { status, value } = await answerTo(object({ a: { type: "string", pattern } }));
      expect(status).toBe(200);
      expect(value.a).toMatch(new RegExp(pattern));
    },
  );

  it.each([{ minLength: -1 }, { maxLength: 1.5 }, { minItems: "2" }, { nullable: "yes" }])(
    "is refused for %j",
    async (keyword) => {
      expect(await violation({ type: "string", ...keyword })).toMatch(/must be/);
    },
  );

  it("may name a property as every object has it, and the answer has it", async () => {
    const names = ["constructor", "toString", "hasOwnProperty", "__proto__"];
    const properties = Object.fromEntries(names.map((name) => [name, text]));
    const { value } = await answerTo(object(properties));
    expect(Object.keys(value)).toEqual(names);
    expect(
      (await answerTo({ type: "object", properties: { a: { type: "string", format: "constructor" } } }, false)).status,
    ).toBe(200);
    expect((await answerTo(object({ a: { $ref: "#/$defs/%zz" } }))).status).toBe(400);
  });
});

describe("any schema", () => {
  const leaf = fc.oneof(
    fc.record(
      { type: fc.constant("string"), minLength: fc.nat(60), pattern: fc.constantFrom("^[a-z]{3}$", "x|y", ".*") },
      { requiredKeys: ["type"] },
    ),
    fc.record(
      {
        type: fc.constantFrom("number", "integer"),
        minimum: fc.double({ noNaN: true }),
        multipleOf: fc.double({ noNaN: true }),
      },
      { requiredKeys: ["type"] },
    ),
    fc.record({ type: fc.constantFrom("boolean", "null") }),
    fc.record({ enum: fc.array(fc.string(), { minLength: 1, maxLength: 4 }) }),
    fc.record({ $ref: fc.constantFrom("#", "#/$defs/d", "#/properties/a", "#/nowhere", "%") }),
    fc.record({
      type: fc.constant("string"),
      nullable: fc.boolean(),
      format: fc.constantFrom("date", "constructor", "email"),
    }),
  );
  const { schema } = fc.letrec<{ schema: object }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.record(
        { type: fc.constant("array"), items: tie("schema"), minItems: fc.oneof(fc.nat(4), fc.nat()) },
        { requiredKeys: ["type", "items"] },
      ),
      fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
      fc
        .dictionary(fc.constantFrom("a", "b", "confidence", "constructor", "__proto__"), tie("schema"), { minKeys: 1 })
        .map(object),
    ),
  }));

  it("is refused or answered, and never ends the process or holds it up", () => {
    fc.assert(
      fc.property(schema, schema, fc.boolean(), (property, definition, strict) => {
        const root = { ...object({ a: property }), $defs: { d: definition } };
        if (strict && strictViolation(root) !== null) return;
        const subject = subjectOf([], []);
        try {
          expect(JSON.stringify(instanceOf(root, subject)).length).toBeLessThan(5_000_000);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 150 },
    );
  });

  const bounded = fc.letrec<{ schema: object }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4 },
      fc.record({ type: fc.constant("string"), minLength: fc.nat(60) }, { requiredKeys: ["type"] }),
      fc.record(
        { type: fc.constant("integer"), minimum: fc.integer({ min: -50, max: 50 }) },
        { requiredKeys: ["type"] },
      ),
      fc.constant({ type: "boolean" }),
      fc.record({ type: fc.constant("array"), items: tie("schema"), minItems: fc.nat(4) }),
      fc.dictionary(fc.constantFrom("a", "b", "confidence", "constructor"), tie("schema"), { minKeys: 1 }).map(object),
    ),
  })).schema;

  it("that has an instance gets one that fits it", () => {
    const ajv = new Ajv({ strict: false });
    fc.assert(
      fc.property(bounded, (property) => {
        const root = object({ a: property });
        expect(ajv.validate(root, instanceOf(root, subjectOf([], [])))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
