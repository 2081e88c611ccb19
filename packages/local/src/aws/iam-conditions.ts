import type { PolicyStatement } from "../manifest.ts";

export type Condition = NonNullable<PolicyStatement["conditions"]>[number];

/** Condition keys of one request (`s3:prefix`, `dynamodb:LeadingKeys`), in IAM's own spelling. */
export type RequestContext = Record<string, string | string[]>;

type Comparison = (value: string, wanted: string) => boolean;

/** IAM's wildcards: `*` is any run of characters, also `/` and `:`, and `?` is one. */
export function like(value: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(value);
}

const sameText: Comparison = (value, wanted) => value === wanted;
const sameTextAnyCase: Comparison = (value, wanted) => value.toLowerCase() === wanted.toLowerCase();

/** Without their negations. Source: IAM's "condition operators" reference, November 2026; dates and IP ranges are left out. */
const comparisons: Record<string, Comparison> = {
  StringEquals: sameText,
  StringEqualsIgnoreCase: sameTextAnyCase,
  StringLike: like,
  ArnEquals: like,
  ArnLike: like,
  Bool: sameTextAnyCase,
  NumericEquals: (value, wanted) => Number(value) === Number(wanted),
  NumericLessThan: (value, wanted) => Number(value) < Number(wanted),
  NumericLessThanEquals: (value, wanted) => Number(value) <= Number(wanted),
  NumericGreaterThan: (value, wanted) => Number(value) > Number(wanted),
  NumericGreaterThanEquals: (value, wanted) => Number(value) >= Number(wanted),
};

/** The operators that have a negation: `StringNotEquals`, but no `NumericNotLessThan`. */
const negatable = new Set([
  "StringEquals",
  "StringEqualsIgnoreCase",
  "StringLike",
  "ArnEquals",
  "ArnLike",
  "NumericEquals",
]);

interface Operator {
  quantifier: "ForAllValues" | "ForAnyValue" | null;
  ifExists: boolean;
  negated: boolean;
  compare: Comparison;
}

/** Null for an operator that is not known. The operator named `Null` has a rule of its own. */
function parseOperator(test: string): Operator | null {
  const [, quantifier, name = "", ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(.+?)(IfExists)?$/.exec(test) ?? [];
  const positive = name.replace(/^(String|Arn|Numeric)Not/, "$1");
  const negated = positive !== name;
  const compare = comparisons[positive];
  if (!compare || (negated && !negatable.has(positive))) return null;
  return {
    quantifier: (quantifier as Operator["quantifier"] | undefined) ?? null,
    ifExists: ifExists !== undefined,
    negated,
    compare,
  };
}

/** The keys that a request of this stage can have, and whether a request may have several values of one. */
const knownKeys = new Map([
  ["aws:SecureTransport", "single"],
  ["aws:SourceAccount", "single"],
  ["aws:SourceArn", "single"],
  ["dynamodb:LeadingKeys", "several"],
  ["s3:delimiter", "single"],
  ["s3:max-keys", "single"],
  ["s3:prefix", "single"],
]);

/** Why this stage could not tell what AWS would make of a condition; null when it can. */
export function unsupported({ test, variable, values }: Condition): string | null {
  // IAM takes keys in any case.
  const kind = [...knownKeys].find(([name]) => sameTextAnyCase(name, variable))?.[1];
  if (!kind) return `the condition key ${variable} is not known here, only ${[...knownKeys.keys()].join(", ")}`;
  const variables = values.find((value) => value.includes("${"));
  if (variables !== undefined) return `the policy variable in "${variables}" is not replaced here`;
  if (test === "Null") {
    const wrong = values.find((value) => !/^(true|false)$/.test(value));
    return wrong === undefined ? null : `Null takes "true" or "false", not "${wrong}"`;
  }
  const operator = parseOperator(test);
  if (!operator) return `the condition operator ${test} is not known here`;
  if (kind === "several" && !operator.quantifier)
    return `${test} of ${variable}, which has several values, wants ForAllValues: or ForAnyValue: before it`;
  if (kind === "single" && operator.quantifier)
    return `${test} of ${variable}, which has one value, wants no ${operator.quantifier}: before it`;
  return null;
}

/**
 * Whether a request fulfils a condition. An operator that is not known never lets a request through: it fails an Allow and
 * fulfils a Deny. Source: IAM's user guide, "Condition operators" and "Multivalued context keys", November 2026.
 */
export function holds(condition: Condition, context: RequestContext, effect: PolicyStatement["effect"]): boolean {
  const { test, variable, values: wanted } = condition;
  const values = Object.entries(context)
    .filter(([name]) => sameTextAnyCase(name, variable))
    .flatMap(([, value]) => value);
  const isMissing = values.length === 0;
  if (test === "Null") return wanted.some((value) => (value === "true") === isMissing);

  const operator = parseOperator(test);
  if (!operator) return effect === "Deny";
  const { quantifier, ifExists, negated, compare } = operator;
  // A negation without a quantifier is that of the whole: no value may match.
  const wantsEvery = quantifier === "ForAllValues" || (negated && quantifier === null);
  if (isMissing) return ifExists || wantsEvery;

  const matches = (value: string) => wanted.some((pattern) => compare(value, pattern)) !== negated;
  return wantsEvery ? values.every(matches) : values.some(matches);
}
