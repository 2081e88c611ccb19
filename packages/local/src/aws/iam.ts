import type { PolicyStatement } from "../manifest.ts";

/** Who signs a request. Functions have a role's policy; the user's own key may do everything. */
export interface Principal {
  accessKeyId: string;
  secretAccessKey: string;
  policy: PolicyStatement[] | "administrator";
  /** The function's name, which is also its role's name in ARNs. */
  name: string;
}

/** Condition keys of one request (`s3:prefix`, `dynamodb:LeadingKeys`), in IAM's own spelling. */
export type RequestContext = Record<string, string | string[]>;

export interface Decision {
  outcome: "allowed" | "explicitDeny" | "implicitDeny";
  /** The statement that decided; null when none matched. */
  statement: PolicyStatement | null;
}

/** One decision as it was asked for, for a report of permissions that nothing used. */
export interface DecisionRecord extends Decision {
  principal: Principal;
  action: string;
  resource: string;
}

export interface Principals {
  add(principal: Principal): void;
  find(accessKeyId: string): Principal | undefined;
  authorize(principal: Principal, action: string, resource: string, context?: RequestContext): Decision;
}

/** The registry of access keys that every local service shares. */
export function createPrincipals(options: { onDecision?: (record: DecisionRecord) => void } = {}): Principals {
  const byAccessKeyId = new Map<string, Principal>();
  return {
    add: (principal) => void byAccessKeyId.set(principal.accessKeyId, principal),
    find: (accessKeyId) => byAccessKeyId.get(accessKeyId),
    authorize(principal, action, resource, context = {}) {
      const decision: Decision =
        principal.policy === "administrator"
          ? { outcome: "allowed", statement: null }
          : evaluate(principal.policy, action, resource, context);
      options.onDecision?.({ ...decision, principal, action, resource });
      return decision;
    },
  };
}

export function isAllowed(policy: PolicyStatement[], action: string, resource: string, context: RequestContext = {}) {
  return evaluate(policy, action, resource, context).outcome === "allowed";
}

/** IAM's evaluation of identity-based policies: a matching Deny wins, then a matching Allow, else it is denied. */
export function evaluate(
  policy: PolicyStatement[],
  action: string,
  resource: string,
  context: RequestContext = {},
): Decision {
  const matching = policy.filter(
    (statement) =>
      statement.actions.some((pattern) => like(action.toLowerCase(), pattern.toLowerCase())) &&
      statement.resources.some((pattern) => like(resource, pattern)) &&
      (statement.conditions ?? []).every((condition) => holds(condition, context, statement.effect)),
  );
  const deny = matching.find((statement) => statement.effect === "Deny");
  if (deny) return { outcome: "explicitDeny", statement: deny };
  const allow = matching.find((statement) => statement.effect === "Allow");
  return allow ? { outcome: "allowed", statement: allow } : { outcome: "implicitDeny", statement: null };
}

/** IAM's wildcards: `*` is any run of characters, also `/` and `:`, and `?` is one. */
export function like(value: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(value);
}

type Condition = NonNullable<PolicyStatement["conditions"]>[number];
type Comparison = (value: string, wanted: string) => boolean;

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

/** An operator that is not known never lets a request through: it fails an Allow and fulfils a Deny. */
function holds(condition: Condition, context: RequestContext, effect: PolicyStatement["effect"]): boolean {
  const [, quantifier, operator = "", ifExists] =
    /^(ForAllValues:|ForAnyValue:)?(.+?)(IfExists)?$/.exec(condition.test) ?? [];
  const present = Object.entries(context).find(
    ([name]) => name.toLowerCase() === condition.variable.toLowerCase(),
  )?.[1];
  if (operator === "Null") return condition.values.some((wanted) => (wanted === "true") === (present === undefined));

  const negated = /^(String|Arn|Numeric)Not/.test(operator);
  const compare = comparisons[operator.replace(/^(String|Arn|Numeric)Not/, "$1")];
  if (!compare) return effect === "Deny";
  if (present === undefined) return Boolean(ifExists) || quantifier === "ForAllValues:" || negated;

  const matches = (value: string) => condition.values.some((wanted) => compare(value, wanted)) !== negated;
  const values = [present].flat();
  return quantifier === "ForAllValues:" || (negated && quantifier === undefined)
    ? values.every(matches)
    : values.some(matches);
}

export interface Refusal {
  principal: Principal;
  account: string;
  action: string;
  resource: string;
  outcome: Decision["outcome"];
}

/** AWS's own sentence for a call that a policy does not allow. */
export function accessDeniedMessage({ principal, account, action, resource, outcome }: Refusal): string {
  const because =
    outcome === "explicitDeny"
      ? "with an explicit deny in an identity-based policy"
      : `because no identity-based policy allows the ${action} action`;
  const subject = `User: ${principalArn(principal, account)} is not authorized to perform: ${action}`;
  return `${subject} on resource: ${resource} ${because}`;
}

export function principalArn(principal: Principal, account: string): string {
  return principal.policy === "administrator"
    ? `arn:aws:iam::${account}:user/${principal.name}`
    : `arn:aws:sts::${account}:assumed-role/${principal.name}/${principal.name}`;
}
