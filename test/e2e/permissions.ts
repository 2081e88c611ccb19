import { appendFileSync, readFileSync } from "node:fs";
import { type DecisionRecord, like } from "@tollgate/local/aws/iam";
import type { Manifest, PolicyStatement } from "@tollgate/local/manifest";

/** One permission: `Chat: s3:GetObject on arn:aws:s3:::images/outputs/*`, `Chat: dynamodb:GetItem on arn:… of result#*`. */
const permission = (name: string, action: string, resource: string, keys: string | null) =>
  `${name}: ${action} on ${resource}${keys === null ? "" : ` of ${keys}`}`;

const leadingKeys = "dynamodb:LeadingKeys";

/** The kinds of items that a statement is for, by how their keys begin; null alone when it is for no items. */
const kindsOf = ({ conditions = [] }: PolicyStatement): (string | null)[] => {
  const condition = conditions.find(({ test, variable }) => variable === leadingKeys && test !== "Null");
  return condition?.values ?? [null];
};

/** Appends each permission that lets a call through to a file, which the stages of several processes may share. */
export function recordUse(file: string): (record: DecisionRecord) => void {
  const known = new Set<string>();
  return ({ principal, action, resource, statement, context }) => {
    if (statement?.effect !== "Allow") return;
    const keys = [context?.[leadingKeys] ?? []].flat();
    const isUsed = (kind: string | null) => kind === null || keys.some((key) => like(key, kind));
    for (const pattern of statement.resources.filter((granted) => like(resource, granted))) {
      for (const kind of kindsOf(statement).filter(isUsed)) {
        const used = permission(principal.name, action, pattern, kind);
        if (known.has(used)) continue;
        known.add(used);
        appendFileSync(file, `${used}\n`);
      }
    }
  };
}

/** What the roles of the manifest grant and no call has needed. */
export function unusedPermissions({ functions }: Manifest, file: string): string[] {
  const used = new Set(readFileSync(file, "utf8").split("\n"));
  return Object.entries(functions)
    .flatMap(([name, { policy }]) =>
      policy.flatMap((statement) =>
        statement.actions.flatMap((action) =>
          statement.resources.flatMap((resource) =>
            kindsOf(statement).map((kind) => permission(name, action, resource, kind)),
          ),
        ),
      ),
    )
    .filter((granted) => !used.has(granted));
}
