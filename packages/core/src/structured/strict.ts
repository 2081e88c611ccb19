import { describeJson, isJsonObject } from "../json/object.ts";
import { patternMend, readPattern } from "./pattern.ts";
import { at, type Problem } from "./problem.ts";
import { referencesIn } from "./reference.ts";
import { formats, jsonTypes, plainKeywords, unsupported } from "./strict-keywords.ts";

/** Limits on one strict schema. Source: OpenAI's guide "Structured model outputs"; checked 2026-11. */
export const strictLimits = {
  properties: 5_000,
  objectLevels: 10,
  /** Names of properties and definitions, and enum and const strings, all together. */
  characters: 120_000,
  enumValues: 1_000,
  /** One enum's strings together, when it has more than `longEnumValues` values. */
  longEnumCharacters: 15_000,
  longEnumValues: 250,
} as const;

/** Ours, against a hostile schema: arrays and unions are not counted as levels, and the walk recurses. */
const maxSchemaLevels = 100;
/** Ours: a response has to carry them, and nobody reads more. */
const maxProblems = 100;

type Schema = Record<string, unknown>;
interface Level {
  path: string;
  objects: number;
  schemas: number;
}

/**
 * Everything for which OpenAI would refuse this schema with `strict: true`, in document order; empty when it is fine.
 * Takes any value, never throws, and visits each schema object once, so the time is linear in the schema's size.
 * At most 100 problems are listed; one more then counts the rest.
 */
export function checkStrictSchema(schema: unknown): Problem[] {
  if (!isJsonObject(schema)) {
    return [{ path: "", message: `A schema is a JSON object, and this is ${describeJson(schema)}.` }];
  }
  const problems: Problem[] = [];
  const total = { problems: 0, properties: 0, characters: 0, enumValues: 0 };
  const seen = new Set<Schema>();
  const checkReference = referencesIn(schema);

  const report = (path: string, message: string, mend?: string): void => {
    total.problems += 1;
    if (problems.length < maxProblems) problems.push(mend === undefined ? { path, message } : { path, message, mend });
  };

  const visitRoot = (root: Schema): void => {
    if (root.type !== "object") {
      report(
        Object.hasOwn(root, "type") ? "type" : "",
        'The root of a strict schema has type "object".',
        'put what you have under a property of an object, with "type": "object" at the root',
      );
    }
    if (Object.hasOwn(root, "anyOf")) {
      report("anyOf", "The root of a strict schema is no union.", "put the anyOf under a property");
    }
  };

  const visit = (value: unknown, level: Level): void => {
    if (!isJsonObject(value)) {
      report(level.path, `A schema is a JSON object, and this is ${describeJson(value)}.`);
      return;
    }
    if (seen.has(value)) return;
    seen.add(value);
    const types = typesOf(value);
    const describesObject = types.includes("object") || Object.hasOwn(value, "properties");
    const here = { ...level, objects: level.objects + (describesObject ? 1 : 0), schemas: level.schemas + 1 };
    if (here.objects > strictLimits.objectLevels) {
      report(level.path, `Objects nest at most ${strictLimits.objectLevels} levels deep.`, "flatten the schema");
      return;
    }
    if (here.schemas > maxSchemaLevels) {
      report(level.path, `Schemas nest at most ${maxSchemaLevels} levels deep.`, "flatten the schema");
      return;
    }
    if (value !== schema) visitType(value, level.path);
    if (describesObject && value.additionalProperties !== false) {
      report(
        at(level.path, "additionalProperties"),
        "A strict object allows no properties beyond its own.",
        'add "additionalProperties": false',
      );
    }
    if (types.includes("array") && !Object.hasOwn(value, "items")) {
      report(at(level.path, "items"), "An array says what its items are.", "add items");
    }
    for (const [keyword, content] of Object.entries(value)) visitKeyword(value, keyword, content, here);
  };

  const visitType = (value: Schema, path: string): void => {
    if (Object.hasOwn(value, "type")) {
      const entries: unknown[] = Array.isArray(value.type) ? value.type : [value.type];
      const wrong = entries.findIndex((entry) => typeof entry !== "string" || !jsonTypes.has(entry));
      if (entries.length > 0 && wrong === -1) return;
      const typePath = at(path, "type");
      report(
        Array.isArray(value.type) && wrong !== -1 ? at(typePath, wrong) : typePath,
        "This is no type of JSON Schema.",
        `use one of ${[...jsonTypes].join(", ")}`,
      );
    } else if (!["$ref", "anyOf", "enum", "const"].some((keyword) => Object.hasOwn(value, keyword))) {
      report(path, "Every schema says its type.", "add type, anyOf, enum, const or $ref");
    }
  };

  const visitKeyword = (value: Schema, keyword: string, content: unknown, level: Level): void => {
    const path = at(level.path, keyword);
    const mend = unsupported.get(keyword);
    if (mend !== undefined) report(path, `Strict mode does not support ${keyword}.`, mend);
    const plain = plainKeywords.get(keyword);
    if (plain !== undefined && !plain.test(content)) report(path, `${keyword} is ${plain.is}.`);

    if (keyword === "properties") visitProperties(value, content, { ...level, path });
    else if (keyword === "required") visitRequired(value, content, path);
    else if (keyword === "items") visit(content, { ...level, path });
    else if (keyword === "anyOf" || keyword === "oneOf") visitUnion(keyword, content, { ...level, path });
    else if (keyword === "$defs" || keyword === "definitions") visitDefinitions(content, { ...level, path });
    else if (keyword === "$ref") visitReference(value, content, level.path);
    else if (keyword === "enum") visitEnum(value, content, path);
    else if (keyword === "const" && typeof content === "string") total.characters += content.length;
    else if (keyword === "pattern") visitPattern(content, path);
    else if (keyword === "format" && !(typeof content === "string" && formats.has(content))) {
      report(path, "Strict mode does not know this format.", `use one of ${[...formats].join(", ")}, or a pattern`);
    }
  };

  const visitProperties = (value: Schema, content: unknown, level: Level): void => {
    if (!isJsonObject(content)) {
      report(level.path, `properties is an object, and this is ${describeJson(content)}.`);
      return;
    }
    const required = new Set<unknown>(Array.isArray(value.required) ? value.required : []);
    for (const [name, property] of Object.entries(content)) {
      const path = at(level.path, name);
      total.properties += 1;
      total.characters += name.length;
      if (!required.has(name)) {
        report(
          path,
          "A strict schema requires every property; an optional one may be null instead.",
          `add ${JSON.stringify(name.slice(0, 80))} to required`,
        );
      }
      visit(property, { ...level, path });
    }
  };

  const visitRequired = (value: Schema, content: unknown, path: string): void => {
    if (!Array.isArray(content)) {
      report(path, `required is an array of names, and this is ${describeJson(content)}.`);
      return;
    }
    const properties = isJsonObject(value.properties) ? value.properties : {};
    for (const [index, name] of content.entries()) {
      if (typeof name !== "string" || !Object.hasOwn(properties, name)) {
        report(
          at(path, index),
          "required names something that is not in properties.",
          "remove it, or add the property",
        );
      }
    }
  };

  const visitUnion = (keyword: string, content: unknown, level: Level): void => {
    if (!Array.isArray(content) || content.length === 0) {
      report(level.path, `${keyword} is an array of at least one schema.`);
      return;
    }
    for (const [index, branch] of content.entries()) visit(branch, { ...level, path: at(level.path, index) });
  };

  const visitDefinitions = (content: unknown, level: Level): void => {
    if (!isJsonObject(content)) {
      report(level.path, `Definitions are an object, and this is ${describeJson(content)}.`);
      return;
    }
    for (const [name, definition] of Object.entries(content)) {
      total.characters += name.length;
      visit(definition, { path: at(level.path, name), objects: 0, schemas: level.schemas });
    }
  };

  const visitReference = (value: Schema, content: unknown, path: string): void => {
    const problem = checkReference(content);
    if (problem !== null) report(at(path, "$ref"), problem.message, problem.mend);
    const beside = Object.keys(value).filter((keyword) => keyword !== "$ref" && value !== schema);
    if (beside.length > 0) {
      report(path, "A $ref stands alone.", `move ${beside.slice(0, 5).join(", ")} into what it refers to`);
    }
  };

  const visitEnum = (value: Schema, content: unknown, path: string): void => {
    if (!Array.isArray(content) || content.length === 0) {
      report(path, "enum is an array of at least one value.");
      return;
    }
    const types = typesOf(value);
    let characters = 0;
    for (const [index, entry] of content.entries()) {
      if (typeof entry === "string") characters += entry.length;
      const isNullable = entry === null && value.nullable === true;
      if (types.length > 0 && !isNullable && !types.some((type) => isOfType(entry, type))) {
        report(
          at(path, index),
          `This value is ${describeJson(entry)}, which type does not allow.`,
          "add its type to type",
        );
      }
    }
    total.characters += characters;
    total.enumValues += content.length;
    if (content.length > strictLimits.longEnumValues && characters > strictLimits.longEnumCharacters) {
      report(path, `An enum of more than 250 values has at most ${strictLimits.longEnumCharacters} characters.`);
    }
  };

  const visitPattern = (content: unknown, path: string): void => {
    if (typeof content !== "string") {
      report(path, `pattern is a string, and this is ${describeJson(content)}.`);
      return;
    }
    const read = readPattern(content);
    if (!read.ok) report(path, `This is no regular expression: ${read.reason}.`, patternMend);
    else if (read.hasLookaround) {
      report(
        path,
        "Strict mode does not support lookaround: (?=, (?!, (?<= and (?<!.",
        "write what the whole text may look like, or say the rest in the description",
      );
    }
  };

  visitRoot(schema);
  visit(schema, { path: "", objects: 0, schemas: 0 });
  for (const limit of ["properties", "characters", "enumValues"] as const) {
    if (total[limit] <= strictLimits[limit]) continue;
    const what = { properties: "properties", characters: "characters in names and values", enumValues: "enum values" };
    report("", `A strict schema has at most ${strictLimits[limit]} ${what[limit]}; this one has ${total[limit]}.`);
  }
  if (total.problems > maxProblems)
    problems.push({ path: "", message: `${total.problems - maxProblems} more problems.` });
  return problems;
}

/** Why OpenAI would refuse this as `json_schema.name`; empty when it is fine. */
export function checkSchemaName(name: unknown): Problem[] {
  if (typeof name === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(name)) return [];
  return [
    {
      path: "name",
      message: "A schema's name has 1 to 64 characters: letters, digits, underscores and hyphens.",
      mend: 'name it like "sentiment_analysis"',
    },
  ];
}

function typesOf(schema: Schema): string[] {
  const named = new Set<unknown>(Array.isArray(schema.type) ? schema.type : [schema.type]);
  return [...jsonTypes].filter((type) => named.has(type));
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isJsonObject(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}
