import { describe, expect, test } from "vitest";
import { committedManifest, named } from "./stage.ts";

const manifest = await committedManifest();
const table = named(manifest.tables, "Ledger").arn;
const bucket = named(manifest.buckets, "Images");
const queue = named(manifest.queues, "ImageUploadedQueue");
const deferred = named(manifest.queues, "RequestDeferredQueue");
const settleLater = named(manifest.queues, "SettleLaterQueue");
const folders = ["uploads", "outputs", "requests"].map((folder) => `${bucket.arn}/${folder}/*`);

/** All that a function may ever name. AWS forces no `*` on any action that is called here. */
const indexes = ["by_owner", "by_lease"].map((index) => `${table}/index/${index}`);
const known = [table, ...indexes, ...folders, queue.arn, deferred.arn, settleLater.arn];

describe.each(Object.entries(manifest.functions))("%s", (_, { links, policy }) => {
  test("is granted actions by name, on resources of this stage", () => {
    for (const { effect, actions, resources } of policy) {
      expect(effect).toBe("Allow");
      for (const action of actions) expect(action).toMatch(/^(dynamodb|s3|sqs):[A-Z][A-Za-z]+$/);
      for (const resource of resources) expect(known).toContain(resource);
    }
  });

  test("links what it may use, and may use what it links", () => {
    const services = new Set(policy.flatMap(({ actions }) => actions.map((action) => action.split(":")[0])));

    expect("Ledger" in links).toBe(services.has("dynamodb"));
    expect("Images" in links).toBe(services.has("s3"));
    for (const [name, { arn }] of Object.entries(manifest.queues))
      expect([name, name in links]).toEqual([name, policy.some(({ resources }) => resources.includes(arn))]);
  });
});

describe("the kinds of items that a function may touch", () => {
  const statements = Object.entries(manifest.functions).flatMap(([name, { policy }]) =>
    policy
      .filter(({ resources }) => resources.some((resource) => [table, ...indexes].includes(resource)))
      .map((statement) => ({ name, ...statement })),
  );
  const holders = (action: RegExp, pattern: string) =>
    statements
      .filter(({ actions, conditions }) => conditions?.[0]?.values.includes(pattern) && action.test(actions.join()))
      .map(({ name }) => name);
  const any = /./;
  const writes = /Put|Update|Delete|BatchWrite|PartiQL/;

  test.each(statements)("are named for $actions by $name, and a request that names no key is kept out", (statement) => {
    const [kinds, present, ...others] = statement.conditions ?? [];
    expect(kinds).toMatchObject({ test: "ForAllValues:StringLike", variable: "dynamodb:LeadingKeys" });
    // Never a bare wildcard, which would be every kind.
    for (const pattern of kinds?.values ?? []) expect(pattern).toMatch(/^[a-z]+(#\*)?$/);
    expect(present).toEqual({ test: "Null", variable: "dynamodb:LeadingKeys", values: ["false"] });
    expect(others).toEqual([]);
  });

  test("include an API key for the authorizer alone, which reads it by its hash, and the list of keys for none", () => {
    expect(holders(any, "key#*")).toEqual(["Authorizer"]);
    expect(holders(writes, "key#*")).toEqual([]);
    expect(holders(any, "keys")).toEqual([]);
  });

  test("include a budget or counters for writing only where a result is settled, and a rate where requests come in", () => {
    const settling = ["Chat", "ImageUploaded", "OpenAI", "RequestDeferred", "SettleLater", "Sweep", "Vision"];
    expect(holders(writes, "budget#*")).toEqual(settling);
    expect(holders(writes, "usage#*")).toEqual(settling);
    expect(holders(writes, "rate#*")).toEqual(["Chat", "ImageUploaded", "OpenAI", "Uploads", "Vision"]);
  });

  test("fit into a role's inline policy, whose 10,240 characters all its statements share", () => {
    // Quota: IAM's user guide, "IAM and AWS STS quotas", November 2026. Half of it, since ARNs are longer on AWS.
    for (const [name, { policy }] of Object.entries(manifest.functions))
      expect(JSON.stringify(policy).length, name).toBeLessThan(5_120);
  });
});

test("OpenAI's key is a secret, linked to the functions that call OpenAI and to no other", () => {
  expect(manifest.secrets).toEqual(["OpenAIApiKey"]);
  const holders = Object.entries(manifest.functions).filter(([, { links }]) => "OpenAIApiKey" in links);

  expect(holders.map(([name]) => name)).toEqual(["Chat", "ImageUploaded", "OpenAI", "RequestDeferred", "Vision"]);
});

test("no secret's value stands in the manifest", () => {
  for (const secret of manifest.secrets)
    for (const { links } of Object.values(manifest.functions)) expect(links[secret] ?? {}).toEqual({});
});

test("only S3, and only for this bucket, may send to the queue", () => {
  expect(queue.policy).toEqual([
    {
      effect: "Allow",
      principals: { Service: ["s3.amazonaws.com"] },
      actions: ["sqs:SendMessage"],
      resources: [queue.arn],
      conditions: [{ test: "ArnEquals", variable: "aws:SourceArn", values: [bucket.arn] }],
    },
  ]);
});

/** Functions that may do this to that. */
const allowed = (action: string, resource: string) =>
  Object.entries(manifest.functions)
    .filter(([, { policy }]) => policy.some((it) => it.actions.includes(action) && it.resources.includes(resource)))
    .map(([name]) => name);

test("no function but those that accept work sends it to the queue, and no other service does", () => {
  expect(allowed("sqs:SendMessage", deferred.arn)).toEqual(["Chat", "Vision"]);
  expect(allowed("sqs:SendMessage", queue.arn)).toEqual([]);
  expect(deferred.policy).toEqual([]);
});

test("only the function that does the work reads a request that waits, and no request waits for more than 15 days", () => {
  const requests = `${bucket.arn}/requests/*`;
  expect(allowed("s3:PutObject", requests)).toEqual(["Chat", "Vision"]);
  expect(allowed("s3:GetObject", requests)).toEqual(["RequestDeferred"]);
  expect(bucket.lifecycle).toContainEqual({ prefix: "requests/", expirationDays: 15, abortMultipartDays: null });
});

test("the bucket is private and answers HTTPS only", () => {
  expect(bucket.blockPublicAccess).toBe(true);
  expect(bucket.policy).toEqual([
    {
      effect: "Deny",
      principals: { "*": ["*"] },
      actions: ["s3:*"],
      resources: [bucket.arn, `${bucket.arn}/*`],
      conditions: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }],
    },
  ]);
});
