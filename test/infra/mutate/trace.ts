import type { Manifest } from "../../../packages/local/src/manifest.ts";

/**
 * How the permissions begin, as test/e2e/permissions.ts writes them, of which an end-to-end test uses one when it has to do with
 * what stands at a path: the permission itself, the function's name, or nothing when that would not tell.
 */
export function traceOf(manifest: Manifest, path: string[]): string {
  const name = functionOf(manifest, path);
  const { policy = [] } = manifest.functions[name ?? ""] ?? {};
  if (policy.length === 0) return "";
  const [part, , field, statement, list, index, , value] = path;
  if (part !== "functions" || field !== "policy") return `${name}: `;
  const { actions = [], resources, conditions = [] } = policy[Number(statement)] ?? {};
  if (list === "actions") return `${name}: ${actions[Number(index)]} on ${resources}`;
  if (list !== "conditions") return `${name}: `;
  const keys = conditions[Number(index)]?.values[Number(value)];
  return `${name}: ${actions} on ${resources}${keys === undefined ? "" : ` of ${keys}`}`;
}

/** The function that it belongs to, or that it leads to. */
function functionOf({ api, eventSourceMappings }: Manifest, [part, key = "", index]: string[]): string | undefined {
  if (part === "functions") return key;
  if (part === "eventSourceMappings") return eventSourceMappings[Number(key)]?.function;
  if (part === "api" && key === "routes") return api.routes[Number(index)]?.function;
  return undefined;
}
