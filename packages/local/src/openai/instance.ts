import { factNamed, phraseFor } from "./fact.ts";
import { type Fields, isObject } from "./parameter.ts";
import { textFitting } from "./pattern.ts";
import { fieldsOf, isPattern, listOf, resolveRef, typesOf } from "./schema.ts";
import type { Subject } from "./subject.ts";
import { hashOf } from "./token.ts";

/** Where in the answer a value stands. */
interface Place {
  /** The property's name; an array's items have the array's. */
  name: string;
  /** What an item of a list is to say. */
  item: string | null;
  /** How often each `$ref` was followed on the way here. */
  followed: ReadonlyMap<unknown, number>;
  depth: number;
  /** Shared by the whole answer. */
  budget: Budget;
}

/** What is left of an answer that may not grow for ever. */
interface Budget {
  values: number;
  characters: number;
  /** How long matching patterns may still take. */
  matchMs: number;
  /** What was made for a pattern and a text before. */
  fitted: Map<string, string>;
}

/** More than any model's longest answer: 128,000 tokens are about half a million characters. */
const MAX_VALUES = 20_000;
const MAX_CHARACTERS = 500_000;
const MAX_MATCH_MS = 2_000;

/** Why a schema has no answer that a model could give. */
const TOO_LARGE = "every instance is longer than the model's longest answer";

/** Beyond this a schema that never ends is given up; strict schemas nest at most ten levels. */
const MAX_DEPTH = 40;
/** A recursive schema is followed so often, then ended by `null` or an empty array where it may end. */
const MAX_RECURSION = 2;

/**
 * A value that is valid for a JSON Schema and says what is true of the subject where property names tell what is meant.
 * @throws RangeError for a schema that no finite value fits
 */
export function instanceOf(schema: Fields, subject: Subject): unknown {
  const budget = { values: MAX_VALUES, characters: MAX_CHARACTERS, matchMs: MAX_MATCH_MS, fitted: new Map() };
  return valueFor(schema, { name: "", item: null, followed: new Map(), depth: 0, budget }, schema, subject);
}

/** @throws RangeError when there is no more left */
function spend(budget: Budget, characters: number): void {
  budget.values -= 1;
  budget.characters -= characters;
  if (budget.values < 0 || budget.characters < 0) throw new RangeError(TOO_LARGE);
}

function valueFor(schema: unknown, place: Place, root: Fields, subject: Subject): unknown {
  if (place.depth > MAX_DEPTH) throw new RangeError("schema has no finite instance");
  spend(place.budget, 1);
  if (!isObject(schema)) return phraseFor(place.name, subject);
  const deeper = { ...place, depth: place.depth + 1 };
  if (schema.$ref !== undefined) {
    const count = (place.followed.get(schema.$ref) ?? 0) + 1;
    const followed = new Map(place.followed).set(schema.$ref, count);
    return valueFor(resolveRef(schema.$ref, root), { ...deeper, followed }, root, subject);
  }
  if ("const" in schema) return spent(schema.const, place);
  if (Array.isArray(schema.enum)) return spent(enumValue(schema.enum, place, subject), place);
  const branches = [...listOf(schema.anyOf), ...listOf(schema.oneOf)].filter(isObject);
  if (branches.length > 0) return firstFinite(orderedBranches(branches, place), deeper, root, subject);
  if (Array.isArray(schema.allOf)) {
    const merged = schema.allOf.map((part) => valueFor(part, deeper, root, subject));
    return merged.every(isObject) ? Object.fromEntries(merged.flatMap(Object.entries)) : merged[0];
  }
  const types = typesOf(schema);
  if (schema.nullable === true && !types.includes("null") && mayRecurse(schema)) {
    // Where a recursion has to end, `nullable` ends it.
    const branches = [{ ...schema, nullable: false }, { type: "null" }];
    return firstFinite(orderedBranches(branches, place), deeper, root, subject);
  }
  if (types.length > 1) {
    const typed = types.map((type) => ({ ...schema, type }));
    return firstFinite(orderedBranches(typed, place), deeper, root, subject);
  }
  const type = types[0] ?? (schema.properties ? "object" : schema.items ? "array" : "string");
  if (type === "object") return objectValue(schema, deeper, root, subject);
  if (type === "array") return arrayValue(schema, deeper, root, subject);
  if (type === "number" || type === "integer") return numberValue(schema, type, place, subject);
  if (type === "boolean") return booleanValue(place, subject);
  return type === "null" ? null : stringValue(schema, place, subject);
}

/** @throws RangeError for a value of the schema's own that is longer than what is left */
function spent(value: unknown, { budget }: Place): unknown {
  spend(budget, JSON.stringify(value)?.length ?? 0);
  return value;
}

/** `null` last, unless a recursion has gone far enough: then what ends it comes first. */
function orderedBranches(branches: Fields[], { followed }: Place): Fields[] {
  const ends = (branch: Fields) => branch.type === "null" || branch.const === null;
  const deep = [...followed.values()].some((count) => count >= MAX_RECURSION);
  const rank = (branch: Fields) => (ends(branch) ? (deep ? 0 : 2) : deep && mayRecurse(branch) ? 3 : 1);
  return [...branches].sort((a, b) => rank(a) - rank(b));
}

function mayRecurse(schema: Fields): boolean {
  const known = recursive.get(schema);
  if (known !== undefined) return known;
  const found = JSON.stringify(schema).includes('"$ref"');
  recursive.set(schema, found);
  return found;
}

const recursive = new WeakMap<Fields, boolean>();

function firstFinite(branches: Fields[], place: Place, root: Fields, subject: Subject): unknown {
  for (const branch of branches) {
    try {
      return valueFor(branch, place, root, subject);
    } catch (error) {
      if (!(error instanceof RangeError) || branch === branches.at(-1)) throw error;
    }
  }
  throw new RangeError("schema has no branch");
}

function objectValue(schema: Fields, place: Place, root: Fields, subject: Subject): Fields {
  // `name`, `label` and the like inside a list's item stand for the item itself. `__proto__` is a name like any other.
  return Object.fromEntries(
    Object.entries(fieldsOf(schema.properties)).map(([name, child]) => {
      spend(place.budget, name.length);
      return [name, valueFor(child, { ...place, name, item: isLabel(name) ? place.item : null }, root, subject)];
    }),
  );
}

function isLabel(name: string): boolean {
  return /^(name|label|phrase|text|value|colou?r|title|description)$/i.test(name);
}

function arrayValue(schema: Fields, place: Place, root: Fields, subject: Subject): unknown[] {
  const { min, max } = { min: Number(schema.minItems ?? 0), max: Number(schema.maxItems ?? Infinity) };
  const fact = factNamed(place.name, subject);
  const items = Array.isArray(fact) ? fact : [phraseFor(place.name, subject)];
  const recursing = [...place.followed.values()].some((count) => count >= MAX_RECURSION);
  const wanted = recursing && mayRecurse(fieldsOf(schema.items)) ? 0 : items.length;
  const count = Math.max(min, Math.min(max, wanted));
  const itemPlace = (index: number) => ({ ...place, item: items[index % items.length] ?? null });
  const values: unknown[] = [];
  while (values.length < count) values.push(valueFor(schema.items, itemPlace(values.length), root, subject));
  return values;
}

function enumValue(values: unknown[], place: Place, subject: Subject): unknown {
  const fact = place.item ?? factNamed(place.name, subject);
  const text = subject.text.toLowerCase();
  const wanted = typeof fact === "string" ? fact.toLowerCase() : null;
  const texts = values.filter((value): value is string => typeof value === "string" && value !== "");
  return (
    texts.find((value) => value.toLowerCase() === wanted) ??
    values.find((value) => value === fact) ??
    texts.find((value) => wanted !== null && value.toLowerCase().includes(wanted)) ??
    texts.find((value) => wanted === "mixed" && /neutral/i.test(value)) ??
    texts.find((value) => wanted === null && text.includes(value.toLowerCase().replaceAll(/[_-]/g, " "))) ??
    values[hashOf(`${place.name} ${text}`) % values.length]
  );
}

function numberValue(schema: Fields, type: string, place: Place, subject: Subject): number {
  const step = Number(schema.multipleOf ?? (type === "integer" ? 1 : 0));
  const unit = step > 0 ? step : 0.01;
  const least = Math.max(Number(schema.minimum ?? -Infinity), Number(schema.exclusiveMinimum ?? -Infinity) + unit);
  const most = Math.min(Number(schema.maximum ?? Infinity), Number(schema.exclusiveMaximum ?? Infinity) - unit);
  const fact = factNamed(place.name, subject);
  // A confidence that may go to 100 is a percentage.
  const scale = typeof fact === "number" && fact < 1 && type === "integer" && most >= 100 ? 100 : 1;
  const mentioned = /\d+(?:\.\d+)?/.exec(subject.text)?.[0];
  const wanted = typeof fact === "number" ? fact * scale : Number(mentioned ?? hashOf(place.name) % 100);
  const held = Math.max(least, Math.min(most, wanted));
  if (!Number.isFinite(held)) return 0;
  if (!(step > 0)) return held;
  // Rounded to the step, then off the limits; toFixed sheds what 0.1 × 3 leaves behind.
  const steps = Math.min(Math.floor(most / step), Math.max(Math.ceil(least / step), Math.round(held / step)));
  const value = steps * step;
  // Beyond these, toFixed would lose the number itself.
  if (!Number.isFinite(value)) return held;
  return Math.abs(value) < 1e-6 || Math.abs(value) > 1e15 ? value : Number(value.toFixed(10));
}

function booleanValue(place: Place, subject: Subject): boolean {
  const fact = factNamed(place.name, subject);
  return typeof fact === "boolean" ? fact : hashOf(`${place.name} ${subject.text}`) % 2 === 0;
}

/** What stands where a `format` is asked for and the text has none of that kind. */
const FORMATTED = new Map<unknown, { find: RegExp; otherwise: string }>(
  Object.entries({
    "date-time": { find: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, otherwise: "2026-01-01T00:00:00Z" },
    date: { find: /\d{4}-\d\d-\d\d/, otherwise: "2026-01-01" },
    time: { find: /\d\d:\d\d:\d\dZ/, otherwise: "00:00:00Z" },
    duration: { find: /P\d+D/, otherwise: "P1D" },
    email: { find: /[\w.+-]+@[\w-]+\.[a-z]{2,}/, otherwise: "user@example.com" },
    hostname: { find: /[a-z\d-]+\.(?:com|org|net)/, otherwise: "example.com" },
    ipv4: { find: /\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|\b)){4}/, otherwise: "127.0.0.1" },
    ipv6: { find: /::1\b/, otherwise: "::1" },
    uuid: { find: /[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}/, otherwise: "00000000-0000-4000-8000-000000000000" },
    uri: { find: /https?:\/\/[\w./-]+/, otherwise: "https://example.com/" },
  }),
);

function stringValue(schema: Fields, place: Place, subject: Subject): string {
  const fact = place.item ?? factNamed(place.name, subject);
  const format = FORMATTED.get(schema.format);
  const natural = format
    ? (format.find.exec(subject.text)?.[0] ?? format.otherwise)
    : Array.isArray(fact)
      ? fact.join(", ")
      : String(fact ?? phraseFor(place.name, subject));
  const least = Number(schema.minLength ?? 0);
  spend(place.budget, Math.max(least, natural.length));
  const fitting = isPattern(schema.pattern) ? fittingOnce(schema.pattern, natural, place.budget) : natural;
  // What matches a pattern by design is left as it is.
  if (fitting !== natural) return fitting;
  const sized = [...natural].slice(0, Number(schema.maxLength ?? Infinity));
  return sized.join("") + ".".repeat(Math.max(0, least - sized.length));
}

/** @throws RangeError when the patterns of one answer take too long to match */
function fittingOnce(pattern: string, natural: string, budget: Budget): string {
  const key = `${pattern}\n${natural}`;
  const known = budget.fitted.get(key);
  if (known !== undefined) return known;
  const startedMs = performance.now();
  const text = textFitting(pattern, natural);
  budget.matchMs -= performance.now() - startedMs;
  if (budget.matchMs < 0) throw new RangeError("its patterns take too long to match");
  budget.fitted.set(key, text);
  return text;
}
