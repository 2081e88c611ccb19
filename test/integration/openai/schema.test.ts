import { describe, expect, it } from "vitest";
import { saying, simulate, wire } from "./simulation.ts";

const openai = await simulate();
type Schema = Record<string, unknown>;

/** Null when the schema is taken, else the refusal's message. */
async function violation(schema: Schema, strict = true): Promise<string | null> {
  const response_format = { type: "json_schema", json_schema: { name: "probe", schema, strict } };
  const response = await openai.post(saying("hello", { response_format }));
  if (response.status === 200) return null;
  const { error } = await wire(response);
  expect(error).toMatchObject({ type: "invalid_request_error", param: "response_format", code: null });
  return error.message;
}

/** A strict object with these properties, every one required. */
function object(properties: Record<string, Schema>, rest: Schema = {}): Schema {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false, ...rest };
}

const text = { type: "string" };
const nested = (levels: number): Schema => (levels === 1 ? object({ leaf: text }) : object({ a: nested(levels - 1) }));
const named = (count: number, length = 4) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [String(i).padStart(length, "p"), text]));

describe("a strict schema", () => {
  it("is refused when required misses a property, naming it and its path", async () => {
    const schema = object({ report: object({ score: text, key_phrases: text }, { required: ["score"] }) });
    expect(await violation(schema)).toBe(
      "Invalid schema for response_format 'probe': In context=('properties', 'report'), 'required' is required to be supplied and to be an array including every key in properties. Missing 'key_phrases'.",
    );
  });

  it.each<[string, Schema, RegExp]>([
    [
      "additionalProperties is missing at the root",
      object({ a: text }, { additionalProperties: undefined }),
      /context=\(\), 'additionalProperties'/,
    ],
    [
      "additionalProperties is missing in an item",
      object({ a: { type: "array", items: object({}, { additionalProperties: true }) } }),
      /\('properties', 'a', 'items'\), 'additionalProperties'/,
    ],
    ["required names an unknown property", object({ a: text }, { required: ["a", "b"] }), /Extra required key 'b'/],
    ["the root is an array", { type: "array", items: text }, /got 'type: "array"'/],
    ["the root has no type", {}, /got 'type: "None"'/],
    ["the root has anyOf", object({ a: text }, { anyOf: [{}] }), /at the top level/],
    ["an array has no items", object({ a: { type: "array" } }), /array schema missing items/],
    ["a property has no type", object({ a: {} }), /schema must have a 'type' key/],
    ["a type is unknown", object({ a: { type: "text" } }), /'text' is not a valid type/],
    ["a format is unknown", object({ a: { type: "string", format: "uri" } }), /'uri' is not a valid format/],
    ["a $ref leads nowhere", object({ a: { $ref: "#/$defs/x" } }), /'#\/\$defs\/x' which was not found/],
    [
      "a $ref has siblings",
      object({ a: { $ref: "#", description: "d" } }),
      /\$ref cannot have keywords {'description'}/,
    ],
    [
      "a definition breaks a rule",
      object({ a: { $ref: "#/$defs/x" } }, { $defs: { x: { type: "object", properties: {} } } }),
      /\('\$defs', 'x'\), 'additionalProperties'/,
    ],
    [
      "a branch of anyOf breaks a rule",
      object({ a: { anyOf: [text, { type: "array" }] } }),
      /\('properties', 'a', 'anyOf', '1'\), array/,
    ],
    ["it nests 11 levels", nested(11), /11 levels of nesting exceeds limit of 10/],
    ["it has 5,001 properties", object(named(5001)), /5001 object properties exceeds limit of 5000/],
    [
      "it has 1,001 enum values",
      object({ a: { type: "integer", enum: Array.from({ length: 1001 }, (_, i) => i) } }),
      /1001 enum values exceeds limit of 1000/,
    ],
    ["its names have over 120,000 characters", object(named(1201, 100)), /exceeds limit of 120000/],
    [
      "an enum of 251 strings is over 15,000 characters",
      object({ a: { type: "string", enum: Array.from({ length: 251 }, (_, i) => String(i).padStart(60, "v")) } }),
      /exceeds limit of 15000/,
    ],
  ])("is refused when %s", async (_, schema, message) => {
    expect(await violation(schema)).toMatch(message);
  });

  it.each([
    ...["allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties"],
    ...["uniqueItems", "default", "examples", "prefixItems"],
  ])("is refused when a property uses %s", async (keyword) => {
    expect(await violation(object({ a: { type: "string", [keyword]: 1 } }))).toMatch(`'${keyword}' is not permitted`);
  });

  it("is taken with everything that the guide supports", async () => {
    const schema = object(
      {
        kind: { type: "string", enum: ["a", "b"], description: "d" },
        fixed: { const: 1 },
        optional: { type: ["string", "null"] },
        either: { anyOf: [{ type: "integer", minimum: 1, maximum: 9, multipleOf: 2 }, { type: "null" }] },
        code: { type: "string", pattern: "^[A-Z]{3}-\\d+$" },
        day: { type: "string", format: "date" },
        list: { type: "array", items: text, minItems: 1, maxItems: 3 },
        tree: { $ref: "#/$defs/node" },
      },
      { $defs: { node: object({ value: text, next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } }) } },
    );
    expect(await violation(schema)).toBeNull();
    expect(await violation(nested(10))).toBeNull();
    expect(await violation(object(named(5000)))).toBeNull();
  });

  it("may break the rules when it is not strict", async () => {
    expect(await violation({ type: "object", properties: { a: { type: "string", minLength: 2 } } }, false)).toBeNull();
  });

  it("is refused when it requires itself for ever", async () => {
    expect(await violation(object({ self: { $ref: "#" } }))).toMatch(/no finite instance/);
  });
});

describe("a strict function", () => {
  it("is refused by the same rules, naming the function", async () => {
    const parameters = { type: "object", properties: { city: text }, required: [], additionalProperties: false };
    const tools = [{ type: "function", function: { name: "find", strict: true, parameters } }];
    const { error } = await wire(await openai.post(saying("hi", { tools })));
    expect(error).toMatchObject({
      param: "tools[0].function.parameters",
      code: "invalid_function_parameters",
      message: expect.stringMatching(
        /^Invalid schema for function 'find': In context=\(\), 'required'.* Missing 'city'\.$/,
      ),
    });
  });
});
