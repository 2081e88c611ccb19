import { describe, expect, it } from "vitest";
import * as z from "zod";
import { defineSchema, schemaNamed, schemaNames, toResponseFormat } from "../../../packages/core/src/schemas/index.ts";
import { evaluate } from "../../../packages/core/src/structured/evaluate.ts";
import { checkSchemaName, checkStrictSchema } from "../../../packages/core/src/structured/strict.ts";
import { validate } from "../../../packages/core/src/structured/validate.ts";

/** An answer for each registered schema; a new schema needs one here, or the test below fails. */
const examples: Record<string, unknown> = {
  sentiment: { sentiment: "positive", confidence: 0.95, key_phrases: ["love this product"] },
  image_sentiment: { sentiment: "mixed", confidence: 0.6, key_elements: ["storm clouds", "a laughing child"] },
  image_description: {
    description: "A tabby cat sits on a windowsill.",
    alt_text: "Tabby cat on a windowsill",
    objects: ["cat", "windowsill"],
    text: null,
    colors: ["brown", "white"],
  },
  receipt: {
    merchant: "Corner Shop",
    date: "2026-11-20",
    currency: "EUR",
    items: [{ description: "Milk 1 l", quantity: 2, unit_price: 1.19, total: 2.38 }],
    subtotal: null,
    tax: 0.16,
    total: 2.38,
  },
};

/** Keywords of strict mode that a registered schema may use. */
const allowed = new Set([
  ...["type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "$ref", "$defs"],
  ...["description", "pattern", "format", "minimum", "maximum", "multipleOf", "minItems", "maxItems", "minLength"],
  "maxLength",
]);

function keywordsOf(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(keywordsOf);
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]) => [
    keyword,
    ...(keyword === "properties" || keyword === "$defs" ? Object.values(value).flatMap(keywordsOf) : keywordsOf(value)),
  ]);
}

function registered(name: string) {
  const schema = schemaNamed(name);
  if (schema === null) throw new Error(`${name} is not registered`);
  return schema;
}

describe.each([...schemaNames])("the registered schema %s", (name) => {
  const schema = registered(name);
  const { json_schema } = toResponseFormat(schema);

  it("is one that OpenAI's strict mode takes", () => {
    expect(json_schema).toMatchObject({ name, strict: true });
    expect(checkSchemaName(name)).toEqual([]);
    expect(checkStrictSchema(json_schema.schema)).toEqual([]);
    expect(keywordsOf(json_schema.schema).filter((keyword) => !allowed.has(keyword))).toEqual([]);
  });

  it("reads its example back unchanged, by zod and by JSON Schema alike", () => {
    const example = examples[name];
    const verdict = evaluate({
      message: { content: JSON.stringify(example) },
      finishReason: "stop",
      format: { type: "registered", output: schema.output },
    });
    expect(verdict).toEqual({ status: "succeeded", output: example });
    expect(validate(json_schema.schema, example)).toEqual([]);
  });

  it("says what it is for and tells the model what to do", () => {
    expect(schema.description).not.toBe("");
    expect(schema.instructions).not.toBe("");
    expect(schema.version).toBeGreaterThanOrEqual(1);
  });
});

describe("the registry", () => {
  it("has each name once, and null for any other", () => {
    expect(new Set(schemaNames).size).toBe(schemaNames.length);
    for (const name of ["", "nope", "constructor", "__proto__"]) expect(schemaNamed(name)).toBeNull();
  });

  it("makes a response format once, and leaves out what zod adds of its own", () => {
    const counted = defineSchema({
      name: "counted",
      description: "A count.",
      instructions: "Count.",
      input: "text",
      output: z.object({ count: z.int(), above: z.int().min(3), day: z.iso.date().nullable() }),
    });
    expect(toResponseFormat(counted)).toBe(toResponseFormat(counted));
    expect(toResponseFormat(counted).json_schema.schema).toEqual({
      type: "object",
      properties: {
        count: { type: "integer" },
        above: { type: "integer", minimum: 3 },
        day: { anyOf: [{ type: "string", format: "date" }, { type: "null" }] },
      },
      required: ["count", "above", "day"],
      additionalProperties: false,
    });
  });

  it("keeps the order of properties, and refuses names that JavaScript would sort", () => {
    const withOutput = (output: z.ZodObject) =>
      defineSchema({ name: "ordered", description: "Any.", instructions: "Any.", input: "text", output });
    const { properties, required } = toResponseFormat(withOutput(z.object({ z: z.string(), a: z.string() })))
      .json_schema.schema;
    expect([Object.keys(properties as object), required]).toEqual([
      ["z", "a"],
      ["z", "a"],
    ]);
    const nested = z.object({ list: z.array(z.object({ a: z.string(), "2": z.string() })) });
    expect(() => toResponseFormat(withOutput(nested))).toThrow(/"2".*"item_2"/);
  });
});
