import { isJsonObject } from "../json/object.ts";
import type { Problem } from "./problem.ts";

/** A chain of schemas that are nothing but a `$ref` is followed this far. */
const maxChain = 100;
/** What to write in place of a `$ref` that leads nowhere. */
export const referenceMend = 'refer to "#" or to a schema under $defs, as "#/$defs/<name>"';

/**
 * Answers for each `$ref` inside `root` why it cannot be followed, or null when it can: `#`, `#/$defs/name` and any other
 * JSON Pointer (RFC 6901) that leads to a schema of the same document. Each distinct pointer is walked once.
 */
export function referencesIn(root: Record<string, unknown>): (reference: unknown) => Omit<Problem, "path"> | null {
  const targets = new Map<string, unknown>();
  const follow = (reference: string): unknown => {
    if (!targets.has(reference)) targets.set(reference, walk(root, reference));
    return targets.get(reference);
  };

  return (reference) => {
    if (typeof reference !== "string") return { message: "$ref is a string.", mend: referenceMend };
    if (!/^#(\/|$)/.test(reference)) return { message: "$ref stays inside its own schema.", mend: referenceMend };
    let target = follow(reference);
    let links = 0;
    while (isJsonObject(target) && typeof target.$ref === "string") {
      if (links === maxChain) {
        return { message: "This $ref only leads to other $refs, so no value fits it.", mend: referenceMend };
      }
      target = follow(target.$ref);
      links += 1;
    }
    if (!isJsonObject(target)) return { message: `Nothing stands at ${reference.slice(0, 100)}.`, mend: referenceMend };
    return null;
  };
}

function walk(root: Record<string, unknown>, reference: string): unknown {
  let target: unknown = root;
  for (const segment of reference.split("/").slice(1)) {
    const name = decode(segment);
    const holds = typeof target === "object" && target !== null && Object.hasOwn(target, name);
    target = holds ? Reflect.get(Object(target), name) : undefined;
  }
  return target;
}

/** Percent-encoding first, since a pointer in a URI is encoded as a whole; then `~1` before `~0`. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return segment;
  }
}
