import type { Parameter } from "./document.ts";

/**
 * A parameter's value as it stands in a URL, by OpenAPI's default style; null when the value cannot be told from another
 * one there (a string that reads like a number, a list whose items hold commas).
 */
export function toText({ schema, explode }: Parameter, value: unknown): string | null {
  if (schema.type === "array") {
    if (!Array.isArray(value) || explode !== false) return null;
    const items = value.filter((item) => typeof item === "string" && !item.includes(","));
    return items.length < value.length || (items.length === 1 && items[0] === "") ? null : items.join(",");
  }
  if (typeof value === "object" || typeof value === "boolean") return null;
  if (schema.type === "integer") return typeof value === "number" ? String(value) : null;
  return typeof value === "string" ? value : null;
}
