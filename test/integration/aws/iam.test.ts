import { describe, expect, test } from "vitest";
import { accessDeniedMessage, createPrincipals, isAllowed } from "../../../packages/local/src/aws/iam.ts";
import type { PolicyStatement } from "../../../packages/local/src/manifest.ts";
import { account, allow, functionPrincipal } from "./fixtures.ts";

const object = "arn:aws:s3:::uploads/acme/cat.jpg";
const deny = (actions: string[], resources: string[]): PolicyStatement => ({ effect: "Deny", actions, resources });
const allowWhen = (test: string, variable: string, values: string[], effect: "Allow" | "Deny" = "Allow") => ({
  effect,
  actions: ["*"],
  resources: ["*"],
  conditions: [{ test, variable, values }],
});

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

  test("does not fulfil a condition on a key that the request lacks, unless IfExists", () => {
    expect(isAllowed([allowWhen("StringEquals", "s3:prefix", ["a"])], "s3:ListBucket", "*")).toBe(false);
    expect(isAllowed([allowWhen("StringEqualsIfExists", "s3:prefix", ["a"])], "s3:ListBucket", "*")).toBe(true);
    expect(isAllowed([allowWhen("Null", "s3:prefix", ["true"])], "s3:ListBucket", "*")).toBe(true);
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

test("a refusal reads as AWS writes it", () => {
  const refusal = {
    principal: functionPrincipal("chat", []),
    account,
    action: "dynamodb:PutItem",
    resource: "arn:aws:dynamodb:us-east-1:123456789012:table/ledger",
  };
  expect(accessDeniedMessage({ ...refusal, outcome: "implicitDeny" })).toBe(
    "User: arn:aws:sts::123456789012:assumed-role/chat/chat is not authorized to perform: dynamodb:PutItem on resource: " +
      "arn:aws:dynamodb:us-east-1:123456789012:table/ledger because no identity-based policy allows the dynamodb:PutItem action",
  );
  expect(accessDeniedMessage({ ...refusal, outcome: "explicitDeny" })).toMatch(
    /with an explicit deny in an identity-based policy$/,
  );
});

test("every decision is reported with the statement that made it", () => {
  const records: unknown[] = [];
  const principals = createPrincipals({
    onDecision: ({ action, outcome, statement }) => records.push([action, outcome, statement]),
  });
  const statement = allow(["s3:GetObject"], ["*"]);
  const principal = functionPrincipal("chat", [statement]);
  principals.authorize(principal, "s3:GetObject", object);
  principals.authorize(principal, "s3:PutObject", object);
  expect(records).toEqual([
    ["s3:GetObject", "allowed", statement],
    ["s3:PutObject", "implicitDeny", null],
  ]);
});
