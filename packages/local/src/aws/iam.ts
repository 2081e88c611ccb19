import type { PolicyStatement } from "../manifest.ts";

/** Who signs a request: a function by its role, the user's own key, or an AWS service. */
export interface Principal {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of a function's role; the user's own key may do everything, and a service what a resource's policy lets it. */
  policy: PolicyStatement[] | "administrator" | "service";
  /** The function's name, which is also its role's name in ARNs; a service's is `s3.amazonaws.com`. */
  name: string;
  /** Keys that each of its requests has: of a service, for which resource it acts (`aws:SourceArn`). */
  context?: RequestContext;
}

/** Condition keys of one request (`s3:prefix`, `dynamodb:LeadingKeys`), in IAM's own spelling. */
export type RequestContext = Record<string, string | string[]>;

export interface AccessRequest {
  principal: Principal;
  action: string;
  resource: string;
  context?: RequestContext | undefined;
  /** The resource's own policy, where it has one. */
  resourcePolicy?: PolicyStatement[] | undefined;
}

export interface Decision {
  outcome: "allowed" | "explicitDeny" | "implicitDeny";
  /** The statement that decided; null when none matched. */
  statement: PolicyStatement | null;
}

/** One decision and what it was about. */
export type DecisionRecord = Decision & Pick<AccessRequest, "principal" | "action" | "resource">;

export interface Principals {
  add(principal: Principal): void;
  find(accessKeyId: string): Principal | undefined;
  authorize(request: AccessRequest): Decision;
}

/** What every request has. There is no TLS on loopback, and nobody else on the line: it counts as secure. */
const everyRequest: RequestContext = { "aws:SecureTransport": "true" };

/** The registry of access keys that every local service shares. */
export function createPrincipals(options: { onDecision?: (record: DecisionRecord) => void } = {}): Principals {
  const byAccessKeyId = new Map<string, Principal>();
  return {
    add: (principal) => void byAccessKeyId.set(principal.accessKeyId, principal),
    find: (accessKeyId) => byAccessKeyId.get(accessKeyId),
    authorize({ principal, action, resource, context, resourcePolicy = [] }) {
      const policies = [...identityPolicy(principal), ...resourcePolicy.filter((it) => speaksOf(it, principal))];
      const decision = evaluate(policies, action, resource, { ...everyRequest, ...principal.context, ...context });
      options.onDecision?.({ ...decision, principal, action, resource });
      return decision;
    },
  };
}

function identityPolicy({ policy }: Principal): PolicyStatement[] {
  if (policy === "administrator") return [{ effect: "Allow", actions: ["*"], resources: ["*"] }];
  return policy === "service" ? [] : policy;
}

/** ARNs of roles differ here from those on AWS: a statement that names one allows nothing, and denies every role. */
function speaksOf({ principals = {}, effect }: PolicyStatement, { policy, name }: Principal): boolean {
  const isService = policy === "service";
  return Object.entries(principals).some(
    ([kind, names]) =>
      names.includes("*") || (kind === "Service" ? isService && names.includes(name) : !isService && effect === "Deny"),
  );
}

/** IAM's evaluation within one account: a matching Deny wins, then a matching Allow, else it is denied. */
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
  if (present === undefined)
    return Boolean(ifExists) || quantifier === "ForAllValues:" || (negated && quantifier === undefined);

  const matches = (value: string) => condition.values.some((wanted) => compare(value, wanted)) !== negated;
  const values = [present].flat();
  return quantifier === "ForAllValues:" || (negated && quantifier === undefined)
    ? values.every(matches)
    : values.some(matches);
}

/** AWS's own sentence for a call that no policy allows, or that one denies. */
export function accessDeniedMessage(refusal: DecisionRecord & { account: string }): string {
  const { principal, account, action, resource, outcome, statement } = refusal;
  const subject = `User: ${principalArn(principal, account)} is not authorized to perform: ${action} on resource: ${resource}`;
  if (outcome === "explicitDeny")
    return `${subject} with an explicit deny in ${statement?.principals ? "a resource" : "an identity"}-based policy`;
  const lacking = principal.policy === "service" ? "resource" : "identity";
  return `${subject} because no ${lacking}-based policy allows the ${action} action`;
}

export function principalArn({ policy, name }: Principal, account: string): string {
  if (policy === "service") return name;
  return policy === "administrator"
    ? `arn:aws:iam::${account}:user/${name}`
    : `arn:aws:sts::${account}:assumed-role/${name}/${name}`;
}
