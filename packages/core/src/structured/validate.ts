import { type OutputUnit, Validator } from "@cfworker/json-schema";
import { inOwnDialect } from "./dialect.ts";
import { at, type Problem } from "./problem.ts";
import { reasonOf, withinTimeLimit } from "./watchdog.ts";

/** The result stores them, and nobody reads more. */
const maxProblems = 20;

/** Keywords whose error only says that there are errors below it. */
const summaries = new Set(["$ref", "properties", "items", "additionalProperties", "allOf", "if", "patternProperties"]);

/**
 * Why `value` does not fit the JSON Schema (draft 2020-12, so strict schemas and others), at most 20 problems; empty when
 * it fits. `format` is asserted, and `nullable: true` admits null. Never throws: a check that takes over 500 ms, nests too deep
 * or meets a schema that cannot be evaluated is one problem with an empty path, since nothing vouches for the value then.
 *
 * The schema is interpreted, not compiled (no `new Function` over a caller's text).
 */
export function validate(schema: Record<string, unknown> | boolean, value: unknown): Problem[] {
  let errors: OutputUnit[] = [];
  try {
    withinTimeLimit(() => {
      errors = new Validator(inOwnDialect(schema), "2020-12", false).validate(value).errors;
    });
    const details = errors.filter((error) => !summaries.has(error.keyword));
    // A value with errors never passes for one that fits, even when nothing but summaries is left.
    return (details.length > 0 ? details : errors)
      .slice(0, maxProblems)
      .map((error) => ({ path: pathIn(value, error.instanceLocation), message: sentence(error) }));
  } catch (error) {
    return [{ path: "", message: `The output could not be checked: ${reasonOf(error)}.`, mend: "simplify the schema" }];
  }
}

function sentence({ keyword, error }: OutputUnit): string {
  return keyword === "false" ? "The schema has no such property." : error.slice(0, 300);
}

/** `#/items/0/unit%20price` → `items[0]["unit price"]`; the value tells whether `0` is an index. */
function pathIn(value: unknown, instanceLocation: string): string {
  let path = "";
  let here = value;
  for (const segment of instanceLocation.split("/").slice(1)) {
    const key = decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~");
    path = at(path, Array.isArray(here) ? Number(key) : key);
    here = typeof here === "object" && here !== null ? Reflect.get(here, key) : undefined;
  }
  return path;
}
