import fc from "fast-check";
import { resolve, type Schema } from "./document.ts";

/** Text that an object's key, a pattern's subject or a caller may hold: plain, and beyond the first plane. */
const text = (schema: Schema): fc.Arbitrary<string> => {
  if (schema.pattern !== undefined) return matching(schema.pattern);
  const { minLength = 0, maxLength = minLength + 12 } = schema;
  return fc
    .array(fc.constantFrom("a", "7", " ", "JSON", "é", "😀", "\n", '"', "_"), {
      minLength,
      maxLength: Math.min(maxLength, minLength + 12),
    })
    .map((parts) => [...parts.join("")].slice(0, maxLength).join(""));
};

/** Reading a pattern takes longer than drawing from it. */
const known = new Map<string, fc.Arbitrary<string>>();

function matching(pattern: string): fc.Arbitrary<string> {
  const strings = known.get(pattern) ?? fc.stringMatching(new RegExp(pattern));
  known.set(pattern, strings);
  return strings;
}

/** Values of a schema, rules over several fields aside: what breaks those is told by a validator. */
export function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  const { $ref, ...own } = schema;
  if ($ref !== undefined) return valuesOf({ ...resolve(schema), ...own });
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const branches = schema.oneOf ?? (schema.type === undefined ? schema.anyOf : undefined);
  if (branches) return fc.oneof(...branches.map(valuesOf));
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => valuesOf({ ...schema, type })));
  switch (schema.type) {
    case "string":
      return text(schema);
    case "integer":
      return fc.integer({ min: Math.max(schema.minimum ?? -50, -50), max: Math.min(schema.maximum ?? 50, 50) });
    case "number":
      return fc.double({ min: schema.minimum ?? -50, max: schema.maximum ?? 50, noNaN: true });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array": {
      const { minItems = 0, maxItems = 3 } = schema;
      return fc.array(valuesOf(schema.items ?? {}), {
        minLength: minItems,
        maxLength: Math.min(maxItems, minItems + 2),
      });
    }
    case "object":
      return objectsOf(schema);
    default:
      return fc.jsonValue({ maxDepth: 2 }).map(asJson);
  }
}

function objectsOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.properties === undefined) {
    const values = typeof schema.additionalProperties === "object" ? schema.additionalProperties : {};
    return fc
      .dictionary(valuesOf(schema.propertyNames ?? { type: "string" }).map(String), valuesOf(values), {
        maxKeys: 3,
        noNullPrototype: true,
      })
      .map(asJson);
  }
  const { properties, required = [] } = schema;
  const optional = Object.keys(properties).filter((name) => !required.includes(name));
  // Few at a time: all of them at once always break some rule between them.
  return fc
    .subarray(optional, { maxLength: Math.min(optional.length, 4) })
    .chain((chosen) =>
      fc.record(Object.fromEntries([...required, ...chosen].map((name) => [name, valuesOf(properties[name] ?? {})]))),
    )
    .map(asJson);
}

/** As it is on the other side of the wire. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

type Path = readonly (string | number)[];

function pathsIn(value: unknown, path: Path = []): Path[] {
  const entries = Array.isArray(value)
    ? [...value.entries()]
    : typeof value === "object" && value !== null
      ? Object.entries(value)
      : [];
  return [path, ...entries.flatMap(([key, child]) => pathsIn(child, [...path, key]))];
}

/** A value with one part of it changed: gone, of another type, too long, too many, too large, or with a field too many. */
export function mutationsOf(value: unknown): fc.Arbitrary<unknown> {
  return fc
    .record({
      path: fc.constantFrom(...pathsIn(value)),
      change: fc.oneof(
        fc.constantFrom<Change>(remove, addField, double, negate, grow),
        fc.jsonValue({ maxDepth: 1 }).map(
          (other): Change =>
            () =>
              asJson(other),
        ),
      ),
    })
    .map(({ path, change }) => changed(value, path, change));
}

type Change = (value: unknown) => unknown;
const gone = Symbol("gone");
const remove: Change = () => gone;
const addField: Change = (value) => (isObject(value) ? { ...value, surplus: 1 } : value);
const double: Change = (value) =>
  Array.isArray(value) ? [...value, ...value] : typeof value === "string" ? value.repeat(40) : value;
const negate: Change = (value) =>
  typeof value === "number" ? -value - 0.5 : typeof value === "boolean" ? null : value;
const grow: Change = (value) =>
  typeof value === "number" ? value + 300 : typeof value === "string" ? `${value} ` : [];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function changed(value: unknown, [key, ...rest]: Path, change: Change): unknown {
  if (key === undefined) {
    const other = change(value);
    return other === gone ? null : other;
  }
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => {
      if (index !== key) return [item];
      const other = rest.length === 0 ? change(item) : changed(item, rest, change);
      return other === gone ? [] : [other];
    });
  }
  return Object.fromEntries(
    Object.entries(Object(value)).flatMap(([name, item]) => {
      if (name !== key) return [[name, item]];
      const other = rest.length === 0 ? change(item) : changed(item, rest, change);
      return other === gone ? [] : [[name, other]];
    }),
  );
}
