/** What a policy says of one request: an explicit Deny wins over every Allow, and no Allow is a Deny too. */
export type Decision = "allow" | "deny" | "explicit deny";

interface Statement {
  effect: "Allow" | "Deny";
  actions: string[];
  resources: string[];
}

const ACTION = "execute-api:Invoke";

/** @throws Error naming what is wrong with the policy document that an authorizer returned */
export function parsePolicy(document: unknown): Statement[] {
  const statements = asList(field(document, "Statement"));
  if (statements.length === 0) throw new Error("policyDocument has no Statement");
  return statements.map((statement) => {
    const effect = field(statement, "Effect");
    if (effect !== "Allow" && effect !== "Deny") throw new Error("a statement's Effect is neither Allow nor Deny");
    if (field(statement, "Condition") !== undefined)
      throw new Error("a statement has a Condition, which is not evaluated");
    return { effect, actions: strings(statement, "Action"), resources: strings(statement, "Resource") };
  });
}

/** @param methodArn `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>` */
export function decide(policy: Statement[], methodArn: string): Decision {
  const applying = policy.filter(
    ({ actions, resources }) =>
      actions.some((action) => matches(action.toLowerCase(), ACTION.toLowerCase())) &&
      resources.some((resource) => matches(resource, methodArn)),
  );
  if (applying.some(({ effect }) => effect === "Deny")) return "explicit deny";
  return applying.length > 0 ? "allow" : "deny";
}

/** `*` stands for any characters, slashes too, and `?` for one. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .split(/([*?])/)
    .map((part) => (part === "*" ? ".*" : part === "?" ? "." : part.replaceAll(/[^\w]/g, "\\$&")))
    .join("");
  return new RegExp(`^${source}$`, "s").test(text);
}

function strings(statement: unknown, name: string): string[] {
  const values = asList(field(statement, name)).filter((value) => typeof value === "string");
  if (values.length === 0) throw new Error(`a statement has no ${name}`);
  return values;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function asList(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
