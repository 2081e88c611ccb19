import type * as z from "zod";
import { describeJson } from "../json/object.ts";
import { closestTo } from "./spelling.ts";

type Issue = z.core.$ZodIssue;

export interface Told {
  path: PropertyKey[];
  message: string;
  /** Of a value of another type: what would be right, and what came. */
  wanted?: { kind: string; input: unknown };
}

/** Tells the first issue of a request with this schema. */
export function mostTelling(issues: readonly Issue[], schema: z.ZodType): Told {
  const fields = "shape" in schema ? Object.keys(Object(schema.shape)) : [];
  const unknown = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" && issue.path.length === 0 ? issue.keys : [],
  );
  const [first] = issues;
  if (first?.code === "unrecognized_keys" && first.path.length === 0) {
    const name = first.keys[0] ?? "";
    const meant = closestTo(name, fields);
    return { path: [name], message: `Unknown field. ${meant ? `Did you mean "${meant}"?` : spelling}` };
  }
  const told = firstOf(issues, []);
  const missing = told.path.length === 1 && first?.input === undefined ? String(told.path[0]) : null;
  const misspelt = missing === null ? undefined : unknown.find((name) => closestTo(name, [missing]));
  return misspelt
    ? { ...told, message: `${told.message} "${misspelt}" is no field: did you mean "${missing}"?` }
    : told;
}

const spelling = "Remove it, or check its spelling.";

/** Of the issues of a union's branches, the one that got furthest is the one that the caller meant. */
function firstOf([issue]: readonly Issue[], prefix: readonly PropertyKey[]): Told {
  if (!issue) return { path: [...prefix], message: "The request is not valid." };
  const path = [...prefix, ...issue.path];
  if (issue.code === "unrecognized_keys")
    return { path: [...path, issue.keys[0] ?? ""], message: `Unknown field. ${spelling}` };
  const choices = choicesOf(issue);
  if (choices) return { path, message: `Use ${listOf(choices)}.` };
  if (issue.code === "invalid_union" && issue.errors.length > 0)
    return ofUnion(issue.errors, path) ?? { path, message: issue.message };
  if (issue.code === "invalid_key") return { path, message: issue.issues[0]?.message ?? issue.message };
  // A schema of ours may say it in its own words.
  if (issue.code === "invalid_type" && issue.message.startsWith("Invalid input")) {
    const { input } = issue;
    const kind = kindOf(issue.expected);
    return { path, message: sentenceOf([kind], input), wanted: { kind, input } };
  }
  return { path, message: issue.message };
}

function ofUnion(errors: readonly (readonly Issue[])[], path: readonly PropertyKey[]): Told | undefined {
  const branches = errors.filter((branch) => branch.length > 0).map((branch) => firstOf(branch, path));
  const [deepest] = branches.sort((a, b) => b.path.length - a.path.length);
  if (!deepest || deepest.path.length > path.length) return deepest;
  const wanted = branches.flatMap((branch) => branch.wanted ?? []);
  if (wanted.length === branches.length) {
    const message = sentenceOf([...new Set(wanted.map(({ kind }) => kind))], deepest.wanted?.input);
    return { ...deepest, message };
  }
  return { path: [...path], message: [...new Set(branches.map(({ message }) => message))].join("; or: ") };
}

/** The values that a field may have, as JSON; null of another issue, and of one that a schema of ours tells in its own words. */
function choicesOf(issue: Issue): string[] | null {
  if (issue.code === "invalid_value" && issue.message.startsWith("Invalid"))
    return issue.values.map((value) => JSON.stringify(value));
  const [, named] = /^Invalid discriminator value\. Expected (.+)$/.exec(issue.message) ?? [];
  return named ? named.split(" | ").map((name) => name.replaceAll("'", '"')) : null;
}

/** `a`, `a or b`, `a, b or c`. */
const listOf = (texts: readonly string[]): string =>
  texts.length < 2 ? texts.join() : `${texts.slice(0, -1).join(", ")} or ${texts.at(-1)}`;

const sentenceOf = (kinds: readonly string[], input: unknown): string =>
  input === undefined ? `It is missing. Send ${listOf(kinds)}.` : `Send ${listOf(kinds)}, not ${describeJson(input)}.`;

/** JSON's name for a type of zod's, with its article. */
const kindOf = (expected: string): string => {
  if (expected === "null") return expected;
  if (expected === "int") return "a whole number";
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`;
};
