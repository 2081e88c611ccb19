import type { Manifest } from "../../../packages/local/src/manifest.ts";
import type { Label } from "./rules.ts";

/** `Chat: dynamodb:PutItem on Ledger`: whose it is and what it is. `pattern` is the one of the rules that fits the path. */
export function nameOf(manifest: Manifest, path: string[], pattern: string, label: Label): string {
  const entries = path.map((_, i) => describe(manifest, path.slice(0, i + 1)));
  const [owner = "Api", ...matched] = entries.filter((_, i) => pattern.split(".")[i] === "*");
  return `${owner}: ${typeof label === "string" ? label : label(...matched)}`;
}

/** A key, or what stands in a list, in words. */
function describe(manifest: Manifest, path: string[]): string {
  const parent = valueAt(manifest, path.slice(0, -1));
  const key = path.at(-1) ?? "";
  return Array.isArray(parent) ? shorten(manifest, entryName(parent[Number(key)])) : key;
}

/** Of an entry of one of the manifest's lists: what tells it from the others. */
function entryName(entry: Record<string, unknown> | string): string {
  if (typeof entry === "string") return entry;
  if ("method" in entry) return `${entry.method} ${entry.path}`;
  if ("resources" in entry) return String(entry.resources).replaceAll(",", ", ");
  if ("variable" in entry) return String(entry.variable);
  if ("queue" in entry) return String(entry.queue);
  if ("abortMultipartDays" in entry) return String(entry.prefix ?? "every object");
  return "";
}

/** ARNs of the stage's own resources by their names in `infra/`: `Ledger/index/by_owner`, `Images/outputs/*`. */
function shorten({ tables, buckets, queues }: Manifest, text: string): string {
  const named = Object.entries<{ arn: string }>({ ...tables, ...buckets, ...queues });
  // The longest first, since one ARN may begin with another.
  const byLength = named.sort(([, a], [, b]) => b.arn.length - a.arn.length);
  return byLength.reduce((shorter, [name, { arn }]) => shorter.replaceAll(arn, name), text);
}

/** What stands at a path. */
export const valueAt = (manifest: Manifest, path: string[]): unknown =>
  path.reduce<unknown>((node, key) => Reflect.get(Object(node), key), manifest);
