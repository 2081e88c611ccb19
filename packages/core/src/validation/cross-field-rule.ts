import type * as z from "zod";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * A rule about several fields of one object. JSON Schema says it to readers of `/openapi.json` and `isBroken` enforces it:
 * both stand side by side, and property-based tests compare them.
 */
export interface CrossFieldRule {
  schema: JsonSchema;
  isBroken(fields: Record<string, unknown>): boolean;
  /** The field at fault. */
  param: string;
  message: string;
}

/** OpenAI takes `null` for an optional parameter that is left out, and so do rules. */
const isGiven = (value: unknown): boolean => value !== undefined && value !== null;
export const given = (name: string): JsonSchema => ({
  required: [name],
  properties: { [name]: { not: { type: "null" } } },
});

/** JSON Schema's `if` and `then`, which not every generator of clients knows. */
export const implies = (condition: JsonSchema, consequence: JsonSchema): JsonSchema => ({
  anyOf: [{ not: condition }, consequence],
});

export const notBoth = (param: string, other: string): CrossFieldRule => ({
  schema: { not: { allOf: [given(param), given(other)] } },
  isBroken: (fields) => isGiven(fields[param]) && isGiven(fields[other]),
  param,
  message: `Give either ${param} or ${other}, not both.`,
});

export const needsOneOf = (param: string, ...others: string[]): CrossFieldRule => ({
  schema: { anyOf: [param, ...others].map(given) },
  isBroken: (fields) => ![param, ...others].some((name) => isGiven(fields[name])),
  param,
  message: `Give ${[param, ...others].join(" or ")}.`,
});

/** An object that keeps the rules. Apply it last: a shape that is taken out of it has none of them. */
export const withRules = <T extends z.ZodObject>(object: T, rules: readonly CrossFieldRule[]): T =>
  object
    .superRefine((fields, context) => {
      const broken = rules.find((rule) => rule.isBroken(fields));
      if (broken) context.addIssue({ code: "custom", path: [broken.param], message: broken.message });
    })
    .meta({ allOf: rules.map(({ schema }) => schema) });
