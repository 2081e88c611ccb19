import * as z from "zod";
import type { PolicyStatement } from "../manifest.ts";

const list = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

const document = z.strictObject({
  Version: z.literal("2012-10-17"),
  Statement: z.array(
    z.strictObject({
      Effect: z.enum(["Allow", "Deny"]),
      Principal: z.record(z.string(), list).optional(),
      Action: list,
      Resource: list,
      Condition: z.record(z.string(), z.record(z.string(), list)).optional(),
    }),
  ),
});

/** Statements of an IAM policy document, from its JSON. */
export function statements(json: string): PolicyStatement[] {
  return document.parse(JSON.parse(json)).Statement.map((statement) => ({
    effect: statement.Effect,
    ...(statement.Principal && { principals: statement.Principal }),
    actions: statement.Action,
    resources: statement.Resource,
    ...(statement.Condition && { conditions: conditions(statement.Condition) }),
  }));
}

function conditions(tests: Record<string, Record<string, string[]>>) {
  return Object.entries(tests).flatMap(([test, variables]) =>
    Object.entries(variables).map(([variable, values]) => ({ test, variable, values })),
  );
}
