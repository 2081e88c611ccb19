import * as z from "zod";
import { type Condition, unsupported } from "../aws/iam-conditions.ts";
import type { PolicyStatement } from "../manifest.ts";
import { VisibleError } from "./visible-error.ts";

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

/** Arguments of the AWS provider's `getPolicyDocument`. */
export interface Document {
  statements?: {
    effect?: string;
    principals?: { type: string; identifiers: string[] }[];
    actions: string[];
    resources: string[];
    conditions?: Condition[];
  }[];
}

/** A policy document as IAM stores it. */
export function policyJson({ statements = [] }: Document): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map(({ effect = "Allow", principals, actions, resources, conditions }) => ({
      Effect: effect,
      Principal: principals && Object.fromEntries(principals.map(({ type, identifiers }) => [type, identifiers])),
      Action: actions,
      Resource: resources,
      Condition: conditions && byTest(conditions),
    })),
  });
}

function byTest(conditions: Condition[]) {
  const tests: Record<string, Record<string, string[]>> = {};
  for (const { test, variable, values } of conditions) tests[test] = { ...tests[test], [variable]: values };
  return tests;
}

/**
 * Statements of an IAM policy document, from its JSON. Throws on a condition that the local stage could not evaluate as AWS does,
 * naming its `owner`.
 */
export function statements(json: string, owner: string): PolicyStatement[] {
  return document.parse(JSON.parse(json)).Statement.map((statement) => ({
    effect: statement.Effect,
    ...(statement.Principal && { principals: statement.Principal }),
    actions: statement.Action,
    resources: statement.Resource,
    ...(statement.Condition && { conditions: supported(conditions(statement.Condition), owner) }),
  }));
}

function conditions(tests: Record<string, Record<string, string[]>>): Condition[] {
  return Object.entries(tests).flatMap(([test, variables]) =>
    Object.entries(variables).map(([variable, values]) => ({ test, variable, values })),
  );
}

function supported(conditions: Condition[], owner: string): Condition[] {
  for (const condition of conditions) {
    const reason = unsupported(condition);
    if (reason)
      throw new VisibleError(`The policy of ${owner} has a condition that the local stage cannot evaluate: ${reason}.`);
  }
  return conditions;
}
