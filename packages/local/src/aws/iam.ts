import type { PolicyStatement } from "../manifest.ts";
import { holds, like, type RequestContext } from "./iam-conditions.ts";

export { like, type RequestContext };

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
export type DecisionRecord = Decision & Pick<AccessRequest, "principal" | "action" | "resource" | "context">;

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
      options.onDecision?.({ ...decision, principal, action, resource, context });
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
