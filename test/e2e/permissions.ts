import { appendFileSync, readFileSync } from "node:fs";
import { type DecisionRecord, like } from "@tollgate/local/aws/iam";
import type { Manifest } from "@tollgate/local/manifest";

/** One permission: `Chat: s3:GetObject on arn:aws:s3:::images/outputs/*`. */
const permission = (name: string, action: string, resource: string) => `${name}: ${action} on ${resource}`;

/** Appends each permission that lets a call through to a file, which the stages of several processes may share. */
export function recordUse(file: string): (record: DecisionRecord) => void {
  const known = new Set<string>();
  return ({ principal, action, resource, statement }) => {
    if (statement?.effect !== "Allow") return;
    for (const pattern of statement.resources.filter((granted) => like(resource, granted))) {
      const used = permission(principal.name, action, pattern);
      if (known.has(used)) continue;
      known.add(used);
      appendFileSync(file, `${used}\n`);
    }
  };
}

/** What the roles of the manifest grant and no call has needed. */
export function unusedPermissions({ functions }: Manifest, file: string): string[] {
  const used = new Set(readFileSync(file, "utf8").split("\n"));
  return Object.entries(functions)
    .flatMap(([name, { policy }]) =>
      policy.flatMap(({ actions, resources }) =>
        actions.flatMap((action) => resources.map((resource) => permission(name, action, resource))),
      ),
    )
    .filter((granted) => !used.has(granted));
}
