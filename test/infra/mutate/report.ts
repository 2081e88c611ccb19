import { table } from "../../../packages/local/src/table.ts";
import type { Outcome } from "./trial.ts";

export const survivorsOf = (outcomes: Outcome[]): Outcome[] => outcomes.filter(({ noticedBy }) => noticedBy === null);

/** Which test failed for what, and how many of each kind there were. */
export const report = (outcomes: Outcome[]): string =>
  [
    table(outcomes.map(({ mutant: { kind, name }, noticedBy }) => ({ kind, removed: name, "missed by": noticedBy }))),
    table(...summary(outcomes)),
  ].join("\n");

/** What no test misses. */
export function verdict(outcomes: Outcome[]): string {
  const survivors = survivorsOf(outcomes).map(
    ({ mutant, remark }) => `  ${mutant.name}${remark ? ` (${remark})` : ""}`,
  );
  return survivors.length === 0 ? "Whatever is removed, a test fails." : `No test misses:\n${survivors.join("\n")}`;
}

function summary(outcomes: Outcome[]): Parameters<typeof table> {
  const row = (kind: string, of: Outcome[]) => ({
    kind,
    removed: of.length,
    "test/infra": of.filter(({ noticedBy }) => noticedBy?.startsWith("test/infra/")).length,
    "test/e2e": of.filter(({ noticedBy }) => noticedBy?.startsWith("test/e2e/")).length,
    survivors: survivorsOf(of).length,
  });
  const kinds = Map.groupBy(outcomes, ({ mutant }) => mutant.kind);
  return [[...kinds].map(([kind, of]) => row(kind, of)), row("all", outcomes)];
}
