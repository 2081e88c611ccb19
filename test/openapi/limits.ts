import fc from "fast-check";
import { resolve, type Schema, validatorOf } from "./document.ts";

/** A value at one limit of a schema, or one step past it. */
export interface Limit {
  /** `messages[0].name: past pattern` */
  name: string;
  value: unknown;
  past: boolean;
}

interface Found {
  path: string;
  keyword: string;
  value: unknown;
  past: boolean;
}

/** Every limit that a schema states, however deep, each inside of the smallest whole value that holds it. */
export function limitsOf(schema: Schema): Limit[] {
  return [...found(schema)].map(({ path, keyword, value, past }) => ({
    name: `${path || "(whole)"}: ${past ? "past" : "at"} ${keyword}`,
    value,
    past,
  }));
}

function* found(schema: Schema): Generator<Found> {
  const { $ref: _, ...node } = { ...resolve(schema), ...schema };
  const branches = branchesOf(node);
  if (branches) for (const branch of branches) yield* found(branch);
  else yield* ownLimits(node);
}

/** The alternatives of a union; `anyOf` beside a type is a rule and no alternative. */
function branchesOf(node: Schema): Schema[] | undefined {
  if (Array.isArray(node.type)) return node.type.map((type) => ({ ...node, type }));
  return node.oneOf ?? (node.type === undefined ? node.anyOf : undefined);
}

function* ownLimits(node: Schema): Generator<Found> {
  const at = (keyword: string, value: unknown): Found => ({ path: "", keyword, value, past: false });
  const past = (keyword: string, value: unknown): Found => ({ path: "", keyword, value, past: true });
  const values = "const" in node ? [node.const] : node.enum;
  if (values) {
    for (const value of values) yield at(`enum ${String(value)}`, value);
    yield past("enum", "no such value");
    return;
  }
  const { type, minimum, maximum, minLength, maxLength, pattern, minItems, maxItems } = node;
  const step = type === "integer" ? 1 : 2 ** -40;
  if (type === "integer") yield past("integer", Math.max(minimum ?? 0, 0) + 0.5);
  if (type === "null") yield at("null", null);
  if (type === "boolean") for (const value of [true, false]) yield at("boolean", value);
  if (minimum !== undefined) yield* [at("minimum", minimum), past("minimum", minimum - step)];
  if (maximum !== undefined) yield* [at("maximum", maximum), past("maximum", maximum + step)];
  if (minLength !== undefined) yield* [at("minLength", "😀".repeat(minLength)), past("minLength", "")];
  if (maxLength !== undefined) {
    const character = pattern === undefined || new RegExp(pattern).test("😀") ? "😀" : "x";
    yield* [at("maxLength", character.repeat(maxLength)), past("maxLength", "x".repeat(maxLength + 1))];
  }
  if (pattern !== undefined) {
    for (const value of fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 5, seed: 1 }))
      yield at("pattern", value);
    for (const value of ["", " ", "|", "a b/c", "é", "x".repeat(300)].filter((text) => !new RegExp(pattern).test(text)))
      yield past("pattern", value);
  }
  if (type === "array") {
    const item = smallest(node.items ?? {});
    const items = (count: number) => Array.from({ length: count }, () => structuredClone(item));
    if (minItems !== undefined) yield* [at("minItems", items(minItems)), past("minItems", items(minItems - 1))];
    if (maxItems !== undefined) yield* [at("maxItems", items(maxItems)), past("maxItems", items(maxItems + 1))];
    for (const limit of found(node.items ?? {}))
      yield { ...limit, path: join("[0]", limit.path), value: [limit.value] };
  }
  if (type === "object") yield* objectLimits(node, at, past);
}

type Make = (keyword: string, value: unknown) => Found;

function* objectLimits(node: Schema, at: Make, past: Make): Generator<Found> {
  const { properties = {}, required = [], additionalProperties, propertyNames, maxProperties } = node;
  const whole = smallest(node) as Record<string, unknown>;
  for (const name of required) {
    const { [name]: _, ...without } = whole;
    yield past(`required ${name}`, without);
  }
  if (additionalProperties === false) yield past("additionalProperties", { ...whole, surplus: 1 });
  if (maxProperties !== undefined) {
    const value = smallest(typeof additionalProperties === "object" ? additionalProperties : {});
    const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, value]));
    yield* [at("maxProperties", pairs(maxProperties)), past("maxProperties", pairs(maxProperties + 1))];
  }
  if (typeof additionalProperties === "object") {
    const name = String(smallest(propertyNames ?? { type: "string" }));
    for (const limit of found(additionalProperties))
      yield { ...limit, path: join(name, limit.path), value: { [name]: limit.value } };
    for (const limit of found(propertyNames ?? {}))
      yield { ...limit, path: "(name)", value: { [String(limit.value)]: smallest(additionalProperties) } };
  }
  for (const [name, property] of Object.entries(properties)) {
    for (const limit of found(property)) {
      const value = { ...whole, [name]: limit.value };
      yield { ...limit, path: join(name, limit.path), value: limit.past ? value : completed(node, value) };
    }
  }
}

const join = (step: string, path: string) => (/^$|^\[/.test(path) ? step + path : `${step}.${path}`);

/** One small value of a schema. Its texts say "JSON", which JSON mode asks for. */
function smallest(schema: Schema): unknown {
  const { $ref: _, ...node } = { ...resolve(schema), ...schema };
  const [branch] = branchesOf(node) ?? [];
  if (branch) return smallest(branch);
  if ("const" in node) return node.const;
  if (node.enum) return node.enum[0];
  switch (node.type) {
    case "string":
      return node.pattern === undefined || new RegExp(node.pattern).test("JSON") ? "JSON" : first(node.pattern);
    case "integer":
    case "number":
      return Math.max(node.minimum ?? 0, 0);
    case "boolean":
      return true;
    case "null":
      return null;
    case "array":
      return Array.from({ length: node.minItems ?? 0 }, () => smallest(node.items ?? {}));
    case "object": {
      const names = node.required ?? [];
      return completed(node, Object.fromEntries(names.map((name) => [name, smallest(node.properties?.[name] ?? {})])));
    }
    default:
      return {};
  }
}

const first = (pattern: string) => {
  const [text] = fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 1, seed: 1 });
  return text ?? "";
};

/** The same object, with one more property when a rule of its schema asks for one. */
function completed(node: Schema, value: Record<string, unknown>): Record<string, unknown> {
  if (!node.allOf) return value;
  const keepsRules = validatorOf({ allOf: node.allOf });
  const candidates = Object.entries(node.properties ?? {}).filter(([name]) => !(name in value));
  const options = [value, ...candidates.map(([name, property]) => ({ ...value, [name]: smallest(property) }))];
  return options.find((option) => keepsRules(option)) ?? value;
}
