const text = { type: "string" };
const object = (properties: object, more: object = {}) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const with_ = (property: object) => object({ a: property });

/** Schemas that OpenAI takes or refuses with `strict: true`, each for one reason. Which of the two, the product says. */
export const schemas: Record<string, object> = {
  "a plain object": object({ a: text }),
  "an optional property": object({ a: text, b: text }, { required: ["a"] }),
  "additional properties": object({ a: text }, { additionalProperties: true }),
  "a union at the root": { anyOf: [object({ a: text })] },
  "a union in a property": with_({ anyOf: [text, { type: "null" }] }),
  "two types": with_({ type: ["string", "null"] }),
  nullable: with_({ type: "string", nullable: true }),
  "minLength and maxLength": with_({ type: "string", minLength: 1, maxLength: 9 }),
  "minItems and maxItems": with_({ type: "array", items: text, minItems: 1, maxItems: 2 }),
  "minimum, maximum and multipleOf": with_({ type: "integer", minimum: 0, maximum: 8, multipleOf: 2 }),
  "a pattern": with_({ type: "string", pattern: "^[a-z]+$" }),
  "a pattern with needless escapes": with_({ type: "string", pattern: "^[a-z]+\\@[a-z\\-]+$" }),
  "a pattern with lookahead": with_({ type: "string", pattern: "^(?=a)[a-z]+$" }),
  "format date": with_({ type: "string", format: "date" }),
  "format uri": with_({ type: "string", format: "uri" }),
  enum: with_({ type: "string", enum: ["a", "b"] }),
  const: with_({ type: "string", const: "a" }),
  recursion: object(
    { a: { $ref: "#/$defs/n" } },
    { $defs: { n: object({ n: { anyOf: [{ $ref: "#/$defs/n" }, { type: "null" }] } }) } },
  ),
  allOf: with_({ allOf: [text] }),
  oneOf: with_({ oneOf: [text, { type: "null" }] }),
  not: with_({ type: "string", not: { const: "a" } }),
  uniqueItems: with_({ type: "array", items: text, uniqueItems: true }),
  default: with_({ type: "string", default: "a" }),
  patternProperties: object({ a: text }, { patternProperties: { "^b": text } }),
};
