import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { type DecisionRecord, like } from "@tollgate/local/aws/iam";
import type { Manifest } from "@tollgate/local/manifest";

/** One action on one resource that a function's role allows. */
export interface Permission {
  function: string;
  action: string;
  resource: string;
}

/** Appends each permission that is used to a file, once. Several stages may write to one. */
export function recordUse(file: string): (record: DecisionRecord) => void {
  const known = new Set<string>();
  return ({ outcome, principal, action, resource }) => {
    if (outcome !== "allowed" || principal.policy === "administrator") return;
    const used: Permission = { function: principal.name, action, resource };
    const line = JSON.stringify({ ...used, resource: withoutKey(resource) });
    if (known.has(line)) return;
    known.add(line);
    appendFileSync(file, `${line}\n`);
  };
}

/** An object's key is cut down to its first folder, so that the file stays small. */
const withoutKey = (resource: string): string => resource.replace(/^(arn:aws:s3:::[^/]+\/[^/]+\/).*$/, "$1x");

/** What the manifest allows and nothing has used. */
export function unusedPermissions({ functions }: Manifest, file: string): Permission[] {
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  const used = lines.map((line) => JSON.parse(line) as Permission);
  const granted = Object.entries(functions).flatMap(([name, { policy }]) =>
    policy.flatMap(({ actions, resources }) =>
      actions.flatMap((action) => resources.map((resource): Permission => ({ function: name, action, resource }))),
    ),
  );
  return granted.filter(
    (permission) =>
      !used.some(
        (use) =>
          use.function === permission.function &&
          use.action === permission.action &&
          like(use.resource, permission.resource),
      ),
  );
}
