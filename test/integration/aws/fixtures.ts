import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { createPrincipals, type Principal } from "../../../packages/local/src/aws/iam.ts";
import type { BucketSpec, PolicyStatement, QueueSpec, TableSpec } from "../../../packages/local/src/manifest.ts";

export const region = "us-east-1";
export const account = "123456789012";

export const developer: Principal = {
  accessKeyId: "AKIADEVELOPER",
  secretAccessKey: "developer-secret",
  policy: "administrator",
  name: "developer",
};

/** A function whose role has these statements. */
export function functionPrincipal(name: string, policy: PolicyStatement[]): Principal {
  return { accessKeyId: `AKIA${name.toUpperCase()}`, secretAccessKey: `${name}-secret`, policy, name };
}

export function principalsOf(...principals: Principal[]) {
  const registry = createPrincipals();
  for (const principal of [developer, ...principals]) registry.add(principal);
  return registry;
}

export function allow(actions: string[], resources: string[]): PolicyStatement {
  return { effect: "Allow", actions, resources };
}

export function deny(actions: string[], resources: string[]): PolicyStatement {
  return { effect: "Deny", actions, resources };
}

/** S3 as it notifies of one bucket. */
export function notifyingS3(bucketArn: string): Principal {
  return {
    accessKeyId: "AKIAS3",
    secretAccessKey: "s3-secret",
    policy: "service",
    name: "s3.amazonaws.com",
    context: { "aws:SourceArn": bucketArn },
  };
}

/** A folder that is gone when the test is over. */
export async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), "tollgate-aws-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export function credentialsOf({ accessKeyId, secretAccessKey }: Principal) {
  return { accessKeyId, secretAccessKey };
}

export function tableSpec(overrides: Partial<TableSpec> = {}): TableSpec {
  return {
    name: "ledger",
    arn: `arn:aws:dynamodb:${region}:${account}:table/ledger`,
    attributes: { pk: "S", sk: "S", owner: "S" },
    primaryIndex: { hashKey: "pk", rangeKey: "sk" },
    globalIndexes: { byOwner: { hashKey: "owner", rangeKey: "sk", projection: "all" } },
    ttlAttribute: "expires_at",
    pointInTimeRecovery: false,
    deletionProtection: false,
    ...overrides,
  };
}

export function queueSpec(name: string, overrides: Partial<QueueSpec> = {}): QueueSpec {
  return {
    name,
    arn: `arn:aws:sqs:${region}:${account}:${name}`,
    visibilityTimeoutSeconds: 30,
    retentionSeconds: 345_600,
    maxMessageBytes: 262_144,
    deadLetter: null,
    policy: [],
    ...overrides,
  };
}

export function bucketSpec(name: string, overrides: Partial<BucketSpec> = {}): BucketSpec {
  return {
    name,
    arn: `arn:aws:s3:::${name}`,
    notifications: [],
    lifecycle: [],
    cors: [],
    policy: [],
    blockPublicAccess: true,
    kmsKeyArn: null,
    ...overrides,
  };
}
