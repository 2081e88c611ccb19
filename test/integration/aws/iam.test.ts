import { describe, expect, test } from "vitest";
import {
  accessDeniedMessage,
  createPrincipals,
  evaluate,
  type Principal,
} from "../../../packages/local/src/aws/iam.ts";
import { unsupported } from "../../../packages/local/src/aws/iam-conditions.ts";
import type { PolicyStatement } from "../../../packages/local/src/manifest.ts";
import { account, allow, deny, developer, functionPrincipal, notifyingS3 } from "./fixtures.ts";

const object = "arn:aws:s3:::uploads/acme/cat.jpg";
const allowWhen = (test: string, variable: string, values: string[], effect: "Allow" | "Deny" = "Allow") => ({
  effect,
  actions: ["*"],
  resources: ["*"],
  conditions: [{ test, variable, values }],
});

const isAllowed = (...request: Parameters<typeof evaluate>) => evaluate(...request).outcome === "allowed";

describe("a policy", () => {
  test("allows nothing by itself", () => {
    expect(isAllowed([], "s3:GetObject", object)).toBe(false);
  });

  test("allows an action only on its resources", () => {
    const policy = [allow(["s3:GetObject"], ["arn:aws:s3:::uploads/*"])];
    expect(isAllowed(policy, "s3:GetObject", object)).toBe(true);
    expect(isAllowed(policy, "s3:PutObject", object)).toBe(false);
    expect(isAllowed(policy, "s3:GetObject", "arn:aws:s3:::uploads")).toBe(false);
    expect(isAllowed(policy, "s3:GetObject", "arn:aws:s3:::other/acme/cat.jpg")).toBe(false);
  });

  test("takes * as any run and ? as one character, in actions without regard to case", () => {
    expect(isAllowed([allow(["S3:get*"], ["arn:aws:s3:::uploads/*.jpg"])], "s3:GetObject", object)).toBe(true);
    expect(isAllowed([allow(["s3:GetObjec?"], [object])], "s3:GetObject", object)).toBe(true);
    expect(isAllowed([allow(["s3:GetObject?"], [object])], "s3:GetObject", object)).toBe(false);
    expect(isAllowed([allow(["s3:*"], ["ARN:AWS:S3:::*"])], "s3:GetObject", object)).toBe(false);
  });

  test("takes other characters of a pattern as they are", () => {
    expect(
      isAllowed([allow(["s3:GetObject"], ["arn:aws:s3:::a.b/(c)+"])], "s3:GetObject", "arn:aws:s3:::a.b/(c)+"),
    ).toBe(true);
    expect(isAllowed([allow(["s3:GetObject"], ["arn:aws:s3:::a.b/c"])], "s3:GetObject", "arn:aws:s3:::aXb/c")).toBe(
      false,
    );
  });

  test("denies explicitly whatever else allows", () => {
    const policy = [allow(["*"], ["*"]), deny(["s3:DeleteObject"], ["*"])];
    expect(isAllowed(policy, "s3:GetObject", object)).toBe(true);
    expect(isAllowed(policy, "s3:DeleteObject", object)).toBe(false);
  });

  test.each([
    ["StringEquals", ["acme/"], "acme/", true],
    ["StringEquals", ["acme/"], "other/", false],
    ["StringNotEquals", ["acme/"], "other/", true],
    ["StringNotEquals", ["acme/"], "acme/", false],
    ["StringEqualsIgnoreCase", ["ACME/"], "acme/", true],
    ["StringLike", ["acme/*"], "acme/cats/", true],
    ["StringNotLike", ["acme/*"], "acme/cats/", false],
    ["ArnLike", ["arn:aws:sqs:*:*:jobs"], "arn:aws:sqs:us-east-1:123456789012:jobs", true],
    ["Bool", ["true"], "true", true],
    ["NumericLessThanEquals", ["10"], "11", false],
    ["ForAnyValue:StringLike", ["a*"], ["b", "ab"], true],
    ["ForAllValues:StringLike", ["a*"], ["b", "ab"], false],
  ])("holds %s %j against %j: %s", (test, wanted, value, expected) => {
    const policy = [allowWhen(test, "s3:prefix", wanted)];
    expect(isAllowed(policy, "s3:ListBucket", "*", { "S3:Prefix": value })).toBe(expected);
  });

  test.each([
    ["StringEquals", "a", false],
    ["StringEqualsIfExists", "a", true],
    ["StringNotEquals", "a", true],
    ["ForAllValues:StringEquals", "a", true],
    ["ForAnyValue:StringEquals", "a", false],
    ["ForAnyValue:StringNotEquals", "a", false],
    ["Null", "true", true],
    ["Null", "false", false],
  ])("holds %s %s against a key that the request lacks: %s", (test, wanted, expected) => {
    expect(isAllowed([allowWhen(test, "s3:prefix", [wanted])], "s3:ListBucket", "*")).toBe(expected);
  });

  test("never lets a request through by a condition operator that is not known", () => {
    const context = { "aws:SourceIp": "10.0.0.1" };
    expect(isAllowed([allowWhen("IpAddress", "aws:SourceIp", ["10.0.0.0/8"])], "s3:GetObject", "*", context)).toBe(
      false,
    );
    const policy = [allow(["*"], ["*"]), allowWhen("IpAddress", "aws:SourceIp", ["192.168.0.0/16"], "Deny")];
    expect(isAllowed(policy, "s3:GetObject", "*", context)).toBe(false);
  });
});

/** Its examples are those of IAM's user guide, "Multivalued context keys" and "Condition operators", read in November 2026. */
describe("a condition on a key of several values", () => {
  const isMatch = (conditions: PolicyStatement["conditions"], key: string, values?: string[]) => {
    const statement = { ...allow(["*"], ["*"]), ...(conditions && { conditions }) };
    return isAllowed([statement], "dynamodb:GetItem", "*", values && { [key]: values });
  };

  test.each([
    ["ForAllValues:StringLike", ["PostDateTime", "UserName"], false],
    ["ForAllValues:StringLike", ["PostDateTime", "Message"], true],
    ["ForAnyValue:StringLike", ["PostDateTime", "UserName"], true],
    ["ForAnyValue:StringLike", ["ID", "UserName"], false],
  ])("%s: the attributes %j are among PostDateTime, Message and Tags: %s", (test, requested, expected) => {
    const variable = "dynamodb:Attributes";
    const condition = { test, variable, values: ["PostDateTime", "Message", "Tags"] };
    expect(isMatch([condition], variable, requested)).toBe(expected);
  });

  test.each([
    ["ForAllValues:StringNotLike", ["key1*"], ["key1:legal"], false],
    ["ForAllValues:StringNotLike", ["key1*"], ["key1:hr", "key1:personnel"], false],
    ["ForAllValues:StringNotLike", ["key1*"], ["key2:audit"], true],
    ["ForAllValues:StringNotLike", ["key1*"], undefined, true],
    ["ForAnyValue:StringEquals", ["environment", "costcenter"], ["environment"], true],
    ["ForAnyValue:StringEquals", ["environment", "costcenter"], ["environment", "costcenter", "team"], true],
    ["ForAnyValue:StringEquals", ["environment", "costcenter"], ["Team"], false],
    ["ForAnyValue:StringEquals", ["environment", "costcenter"], undefined, false],
    ["ForAnyValue:StringLikeIfExists", ["environment"], undefined, true],
  ])("%s %j of aws:TagKeys matches %j: %s", (test, values, tagKeys, expected) => {
    expect(isMatch([{ test, variable: "aws:TagKeys", values }], "aws:TagKeys", tagKeys)).toBe(expected);
  });

  test("of which a request has none is fulfilled by ForAllValues, unless Null wants one there", () => {
    const variable = "dynamodb:LeadingKeys";
    const all = { test: "ForAllValues:StringLike", variable, values: ["result#*", "keys"] };
    const present = { test: "Null", variable, values: ["false"] };
    for (const none of [undefined, []]) {
      expect(isMatch([all], variable, none)).toBe(true);
      expect(isMatch([all, present], variable, none)).toBe(false);
    }
    expect(isMatch([all, present], variable, ["result#1", "keys"])).toBe(true);
    expect(isMatch([all, present], variable, ["result#1", "keys#1"])).toBe(false);
    expect(isMatch([all, present], variable, ["results#1"])).toBe(false);
  });
});

describe("a condition that could not be evaluated as IAM does", () => {
  const leadingKeys = "dynamodb:LeadingKeys";

  test.each([
    ["IpAddress", "aws:SecureTransport", ["10.0.0.0/8"], "the condition operator IpAddress is not known"],
    ["NumericNotLessThan", "s3:max-keys", ["1"], "the condition operator NumericNotLessThan is not known"],
    ["ForSomeValues:StringLike", leadingKeys, ["a"], "the condition operator ForSomeValues:StringLike is not known"],
    ["NullIfExists", leadingKeys, ["false"], "the condition operator NullIfExists is not known"],
    ["StringEquals", "dynamodb:Attributes", ["pk"], "the condition key dynamodb:Attributes is not known"],
    ["StringLike", leadingKeys, ["result#*"], "wants ForAllValues: or ForAnyValue: before it"],
    ["ForAllValues:Bool", "aws:SecureTransport", ["true"], "wants no ForAllValues: before it"],
    ["ForAllValues:StringEquals", leadingKeys, [`\${aws:userid}`], `the policy variable in "\${aws:userid}"`],
    ["Null", leadingKeys, ["no"], 'Null takes "true" or "false", not "no"'],
  ])("%s on %s %j is told, and why", (test, variable, values, reason) => {
    expect(unsupported({ test, variable, values })).toContain(reason);
  });

  test.each([
    ["ForAllValues:StringNotLike", leadingKeys, ["key#*"]],
    ["ForAnyValue:StringEqualsIfExists", leadingKeys, ["keys"]],
    ["Null", "Dynamodb:leadingkeys", ["true"]],
    ["StringNotEqualsIgnoreCase", "s3:prefix", ["a"]],
    ["ArnLike", "aws:SourceArn", ["arn:aws:s3:::*"]],
    ["Bool", "aws:SecureTransport", ["false"]],
  ])("%s on %s %j is none of them", (test, variable, values) => {
    expect(unsupported({ test, variable, values })).toBeNull();
  });
});

describe("a resource's own policy", () => {
  const queue = "arn:aws:sqs:us-east-1:123456789012:jobs";
  const ofBucket = (sourceArn: string): PolicyStatement => ({
    ...allow(["sqs:SendMessage"], [queue]),
    principals: { Service: ["s3.amazonaws.com"] },
    conditions: [{ test: "ArnEquals", variable: "aws:SourceArn", values: [sourceArn] }],
  });
  const toEveryone = { "*": ["*"] };
  const chat = functionPrincipal("chat", [allow(["sqs:*"], ["*"])]);
  const idle = functionPrincipal("idle", []);
  const s3 = notifyingS3("arn:aws:s3:::images");

  const outcome = (principal: Principal, ...resourcePolicy: PolicyStatement[]) =>
    createPrincipals().authorize({ principal, action: "sqs:SendMessage", resource: queue, resourcePolicy }).outcome;

  test("lets a service in, for the resource that it acts for and no other", () => {
    expect(outcome(s3)).toBe("implicitDeny");
    expect(outcome(s3, ofBucket("arn:aws:s3:::images"))).toBe("allowed");
    expect(outcome(s3, ofBucket("arn:aws:s3:::others"))).toBe("implicitDeny");
    expect(outcome({ ...s3, name: "sns.amazonaws.com" }, ofBucket("arn:aws:s3:::images"))).toBe("implicitDeny");
  });

  test("that speaks of a service allows nothing to a role", () => {
    expect(outcome(idle, { ...allow(["*"], ["*"]), principals: { Service: ["s3.amazonaws.com"] } })).toBe(
      "implicitDeny",
    );
  });

  test("adds to what a role may, and takes from it, the user's own key included", () => {
    expect(outcome(idle, { ...allow(["sqs:SendMessage"], [queue]), principals: toEveryone })).toBe("allowed");
    for (const principal of [chat, developer, s3])
      expect(outcome(principal, { ...deny(["sqs:*"], [queue]), principals: toEveryone })).toBe("explicitDeny");
    expect(outcome(chat, { ...deny(["sqs:ReceiveMessage"], [queue]), principals: toEveryone })).toBe("allowed");
  });

  test("that names roles, whose ARNs differ here, never lets a call through", () => {
    const principals = { AWS: ["arn:aws:iam::123456789012:role/chat"] };
    expect(outcome(idle, { ...allow(["*"], ["*"]), principals })).toBe("implicitDeny");
    expect(outcome(chat, { ...deny(["*"], ["*"]), principals })).toBe("explicitDeny");
  });
});

test("a call to the local stage counts as one over TLS", () => {
  const overTls = (secure: string) => functionPrincipal("chat", [allowWhen("Bool", "aws:SecureTransport", [secure])]);
  const request = { action: "s3:GetObject", resource: object };
  expect(createPrincipals().authorize({ principal: overTls("true"), ...request }).outcome).toBe("allowed");
  expect(createPrincipals().authorize({ principal: overTls("false"), ...request }).outcome).toBe("implicitDeny");
});

describe("a refusal reads as AWS writes it", () => {
  const resource = "arn:aws:dynamodb:us-east-1:123456789012:table/ledger";
  const [ofRole, ofResource] = [deny(["*"], ["*"]), { ...deny(["*"], ["*"]), principals: { "*": ["*"] } }];
  const chat = functionPrincipal("chat", []);
  const role = "arn:aws:sts::123456789012:assumed-role/chat/chat";

  test.each<[Principal, PolicyStatement | null, string, string]>([
    [chat, null, role, "because no identity-based policy allows the dynamodb:PutItem action"],
    [chat, ofRole, role, "with an explicit deny in an identity-based policy"],
    [chat, ofResource, role, "with an explicit deny in a resource-based policy"],
    [
      developer,
      ofResource,
      "arn:aws:iam::123456789012:user/developer",
      "with an explicit deny in a resource-based policy",
    ],
    [
      notifyingS3("arn:aws:s3:::images"),
      null,
      "s3.amazonaws.com",
      "because no resource-based policy allows the dynamodb:PutItem action",
    ],
  ])("$name, %j", (principal, statement, user, because) => {
    const outcome = statement ? "explicitDeny" : "implicitDeny";
    expect(accessDeniedMessage({ principal, account, action: "dynamodb:PutItem", resource, outcome, statement })).toBe(
      `User: ${user} is not authorized to perform: dynamodb:PutItem on resource: ${resource} ${because}`,
    );
  });
});

test("every decision is reported with the statement that made it", () => {
  const records: unknown[] = [];
  const principals = createPrincipals({
    onDecision: ({ action, outcome, statement }) => records.push([action, outcome, statement]),
  });
  const statement = allow(["s3:GetObject"], ["*"]);
  const principal = functionPrincipal("chat", [statement]);
  principals.authorize({ principal, action: "s3:GetObject", resource: object });
  principals.authorize({ principal, action: "s3:PutObject", resource: object });
  expect(records).toEqual([
    ["s3:GetObject", "allowed", statement],
    ["s3:PutObject", "implicitDeny", null],
  ]);
});
