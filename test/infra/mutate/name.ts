import type { Manifest } from "../../../packages/local/src/manifest.ts";
import type { Label } from "./rules.ts";

/** `Chat: dynamodb:PutItem on Ledger`: whose it is and what it is. `pattern` is the one of the rules that fits the path. */
export function nameOf(manifest: Manifest, path: string[], pattern: string, label: Label): string {
  const isOfCondition = pattern.startsWith("functions.") && pattern.includes(".conditions.");
  const entries = path.map((_, i) => describe(manifest, path.slice(0, i + 1), isOfCondition));
  const matches = entries.filter((_, i) => pattern.split(".")[i] === "*");
  // The API is one, and has no name of its own.
  const [owner = "Api", ...matched] = pattern.startsWith("api.accessLog.") ? ["Api", ...matches] : matches;
  return `${owner}: ${typeof label === "string" ? label : label(...matched)}`;
}

/** A key, or what stands in a list, in words. `isOfCondition`: a function has several statements on the table, and conditions on one key. */
function describe(manifest: Manifest, path: string[], isOfCondition: boolean): string {
  const parent = valueAt(manifest, path.slice(0, -1));
  const key = path.at(-1) ?? "";
  if (!Array.isArray(parent)) return key;
  const entry = parent[Number(key)];
  const name = shorten(manifest, entryName(entry));
  if (!isOfCondition) return name;
  if (entry.actions) return `${entry.actions.join(", ")} on ${name}`;
  return entry.test ? `${entry.test} of ${name}` : name;
}

/** Of an entry of one of the manifest's lists: what tells it from the others. */
function entryName(entry: Record<string, unknown> | string): string {
  if (typeof entry === "string") return entry;
  if ("method" in entry) return `${entry.method} ${entry.path}`;
  if ("resources" in entry) return String(entry.resources).replaceAll(",", ", ");
  if ("variable" in entry) return String(entry.variable);
  if ("queue" in entry) return String(entry.queue);
  if ("metric" in entry) return String(entry.metric);
  if ("title" in entry) return String(entry.title);
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
