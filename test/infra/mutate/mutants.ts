import { isDeepStrictEqual } from "node:util";
import type { Manifest } from "../../../packages/local/src/manifest.ts";
import { nameOf, valueAt } from "./name.ts";
import { type Removal, rules } from "./rules.ts";
import { traceOf } from "./trace.ts";

/** The manifest without one thing. */
export interface Mutant {
  kind: string;
  /** `Chat: dynamodb:PutItem on Ledger`. */
  name: string;
  manifest: Manifest;
  /** By which the end-to-end tests are known that have to do with it. */
  trace: string;
}

/** Everything that can be removed, each by itself. */
export function mutantsOf(manifest: Manifest) {
  const mutants: Mutant[] = [];
  /** Names of what is declared as it would be without the declaration. */
  const defaults: string[] = [];
  /** Paths of what no rule knows. */
  const unknown: string[] = [];
  /** Patterns of the rules that knew something. */
  const used = new Set<string>();

  const visit = (node: unknown, path: string[]) => {
    const pattern = patternOf(path);
    const rule = pattern === null ? undefined : rules[pattern];
    if (pattern !== null) used.add(pattern);
    if (pattern !== null && rule && "kind" in rule && !(rule.unlessLast && isAlone(manifest, path))) {
      const name = nameOf(manifest, path, pattern, rule.label);
      const mutated = without(manifest, path, rule);
      if (mutated) mutants.push({ kind: rule.kind, name, manifest: mutated, trace: traceOf(manifest, path) });
      else defaults.push(name);
    }
    if (typeof node === "object") for (const [key, child] of Object.entries(node ?? {})) visit(child, [...path, key]);
    else if (!rule) unknown.push(path.join("."));
  };
  visit(manifest, []);
  return { mutants, defaults, unknown, used };
}

const patterns = Object.keys(rules).map((pattern) => pattern.split("."));

/** The first pattern that fits. */
function patternOf(path: string[]): string | null {
  const fits = (pattern: string[]) =>
    pattern.length === path.length && pattern.every((segment, i) => segment === "*" || segment === path[i]);
  return patterns.find(fits)?.join(".") ?? null;
}

const isAlone = (manifest: Manifest, path: string[]) =>
  Object.keys(Object(valueAt(manifest, path.slice(0, -1)))).length === 1;

/** Null when that changes nothing. */
function without(manifest: Manifest, path: string[], { becomes }: Removal): Manifest | null {
  const mutated = structuredClone(manifest);
  const parent = Object(valueAt(mutated, path.slice(0, -1)));
  const key = path.at(-1) ?? "";
  const others = becomes?.filter((value) => !isDeepStrictEqual(value, parent[key]));
  if (others?.length === 0) return null;
  if (others) parent[key] = others[0];
  else if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
  return mutated;
}
