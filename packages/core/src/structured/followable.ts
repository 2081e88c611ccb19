import { dereference } from "@cfworker/json-schema";
import { describeJson, isJsonObject } from "../json/object.ts";
import { type Expected, numberKeywords, schemaKeywords, schemaListKeywords, schemaMapKeywords } from "./keywords.ts";
import { patternMend, readPattern } from "./pattern.ts";
import { at, type Problem } from "./problem.ts";
import { referenceMend } from "./reference.ts";
import { jsonTypes } from "./strict-keywords.ts";
import { reasonOf, withinTimeLimit } from "./watchdog.ts";

type Schema = Record<string, unknown>;

/** Ours: a response has to carry them, and nobody reads more. */
const maxProblems = 100;
/** Schemas that speak of the same value, one leading to the next: the validator recurses, and no schema means more. */
const maxChain = 100;

const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0;
const isNames = (value: unknown): boolean =>
  Array.isArray(value) && value.every((name: unknown) => typeof name === "string");

const aCount = { is: "a whole number, 0 or more", test: isCount };
const names = { is: "an array of names", test: isNames };

/** Keywords that the validator computes with, and what they have to be. */
const computed: ReadonlyMap<string, Expected> = new Map([
  ...numberKeywords,
  ["minLength", aCount],
  ["maxLength", aCount],
  ["minItems", aCount],
  ["maxItems", aCount],
  ["minContains", aCount],
  ["maxContains", aCount],
  ["minProperties", aCount],
  ["maxProperties", aCount],
  ["required", names],
  ["enum", { is: "an array of values", test: Array.isArray }],
]);

/** Keywords whose schemas speak of the very value that their own schema speaks of, always. */
const inPlaceKeywords = ["anyOf", "allOf", "oneOf", "not", "if"];

interface Place {
  schema: Schema;
  path: string;
}

/**
 * Why no answer can be judged by this JSON Schema; empty when answers can. A request with such a schema, strict or not, would be paid
 * for and then fail. Only what an answer is compared with is checked: an unknown keyword, or a definition that nothing refers to,
 * may hold anything. Takes any value and never throws.
 */
export function checkFollowable(schema: unknown): Problem[] {
  if (!isJsonObject(schema)) {
    return [{ path: "", message: `A schema is a JSON object, and this is ${describeJson(schema)}.` }];
  }
  let problems: Problem[] = [];
  try {
    withinTimeLimit(() => {
      problems = problemsOf(schema);
    });
  } catch (error) {
    return [{ path: "", message: `This schema could not be read: ${reasonOf(error)}.`, mend: "simplify it" }];
  }
  return problems;
}

/** Throws when the validator can make nothing of the document. */
function problemsOf(schema: Schema): Problem[] {
  const problems: Problem[] = [];
  const root = structuredClone(schema);
  const lookup: Record<string, unknown> = dereference(root);

  const seen = new Set<Schema>([root]);
  const queue: Place[] = [{ schema: root, path: "" }];
  /** Leads from a schema to those that speak of the same value. */
  const inPlace = new Map<Schema, Schema[]>();

  const report = (path: string, message: string, mend?: string): void => {
    if (problems.length < maxProblems) problems.push(mend === undefined ? { path, message } : { path, message, mend });
  };
  const visit = (schema: unknown, path: string): void => {
    if (isJsonObject(schema)) {
      if (!seen.has(schema)) queue.push({ schema, path });
      seen.add(schema);
    } else if (typeof schema !== "boolean") {
      report(path, `A schema is a JSON object, and this is ${describeJson(schema)}.`);
    }
  };
  const visitAll = (schemas: unknown, path: string): void => {
    if (!Array.isArray(schemas)) report(path, `${lastName(path)} is an array of schemas.`);
    else for (const [index, schema] of schemas.entries()) visit(schema, at(path, index));
  };
  const visitMap = (schemas: unknown, path: string): void => {
    if (!isJsonObject(schemas)) report(path, `${lastName(path)} is an object, and this is ${describeJson(schemas)}.`);
    else for (const [name, schema] of Object.entries(schemas)) visit(schema, at(path, name));
  };

  const visitKeyword = ({ schema, path: above }: Place, keyword: string, content: unknown): void => {
    const path = at(above, keyword);
    const expected = computed.get(keyword);
    if (expected && !expected.test(content)) report(path, `${keyword} is ${expected.is}.`);
    else if (keyword === "type") visitType(content, path);
    else if (keyword === "pattern") visitPattern(content, path);
    else if (keyword === "$ref") visitReference(schema, path);
    else if (keyword === "dependentRequired") visitDependentNames(content, path);
    else if (keyword === "dependencies") visitDependencies(content, path);
    else if (schemaListKeywords.has(keyword)) visitAll(content, path);
    else if (schemaMapKeywords.has(keyword)) visitMap(content, path);
    else if (schemaKeywords.has(keyword)) {
      // Once, a list of items said what stands at each position.
      if (keyword === "items" && Array.isArray(content)) visitAll(content, path);
      else visit(content, path);
    }
    if (keyword === "patternProperties" && isJsonObject(content)) {
      for (const pattern of Object.keys(content)) visitPattern(pattern, at(path, pattern));
    }
  };

  const visitType = (content: unknown, path: string): void => {
    const types: unknown[] = Array.isArray(content) ? content : [content];
    const wrong = types.findIndex((type) => typeof type !== "string" || !jsonTypes.has(type));
    if (types.length > 0 && wrong === -1) return;
    const mend = `use one of ${[...jsonTypes].join(", ")}`;
    report(Array.isArray(content) && wrong !== -1 ? at(path, wrong) : path, "This is no type of JSON Schema.", mend);
  };

  const visitPattern = (content: unknown, path: string): void => {
    const read = typeof content === "string" ? readPattern(content) : { ok: false as const, reason: "it is no string" };
    if (!read.ok) report(path, `This is no regular expression: ${read.reason}.`, patternMend);
  };

  const visitReference = (schema: Schema, path: string): void => {
    const { $ref } = schema;
    const target = targetOf(schema);
    if (typeof $ref !== "string") report(path, "$ref is a string.", referenceMend);
    else if (target === undefined) report(path, `Nothing stands at ${$ref.slice(0, 100)}.`, referenceMend);
    else visit(target, $ref.slice(0, 100));
  };

  /** The validator has written beside each `$ref` where it leads. */
  const targetOf = (schema: Schema): unknown => {
    const address = schema.__absolute_ref__ ?? schema.$ref;
    return typeof address === "string" ? lookup[address] : undefined;
  };

  const visitDependentNames = (content: unknown, path: string): void => {
    if (!isJsonObject(content)) {
      report(path, `dependentRequired is an object, and this is ${describeJson(content)}.`);
      return;
    }
    for (const [name, others] of Object.entries(content))
      if (!isNames(others)) report(at(path, name), `What depends on a name is ${names.is}.`);
  };

  const visitDependencies = (content: unknown, path: string): void => {
    if (!isJsonObject(content)) {
      report(path, `dependencies is an object, and this is ${describeJson(content)}.`);
      return;
    }
    for (const [name, dependency] of Object.entries(content))
      if (!isNames(dependency)) visit(dependency, at(path, name));
  };

  for (const place of queue) {
    for (const [keyword, content] of Object.entries(place.schema)) visitKeyword(place, keyword, content);
    const next = [targetOf(place.schema), ...inPlaceKeywords.flatMap((keyword) => place.schema[keyword])];
    inPlace.set(place.schema, next.filter(isJsonObject));
  }
  const endless = endOfLongChain(inPlace);
  const place = queue.find(({ schema }) => schema === endless);
  if (place) report(place.path, "This leads to itself, or on and on, about the same value.", "let it end");
  return problems;
}

const lastName = (path: string): string => path.slice(path.lastIndexOf(".") + 1);

/** A schema to which more than `maxChain` others lead, one after the other, all about the same value: in a circle, without end. */
function endOfLongChain(inPlace: ReadonlyMap<Schema, Schema[]>): Schema | undefined {
  let level = new Set(inPlace.keys());
  for (let chain = 0; chain <= maxChain && level.size > 0; chain += 1)
    level = new Set([...level].flatMap((schema) => inPlace.get(schema) ?? []));
  const [end] = level;
  return end;
}
