import { beforeAll, describe, expect, test } from "vitest";
import type { Manifest } from "../../packages/local/src/manifest.ts";
import { evaluate } from "../../packages/local/src/synth/evaluate.ts";
import type { Graph } from "../../packages/local/src/synth/graph.ts";
import { installPlatform } from "../../packages/local/src/synth/platform.ts";
import { readManifest } from "../../packages/local/src/synth/read.ts";
import { named, root } from "./stage.ts";

let graph: Graph;
let production: Manifest;
let developers: Graph;

beforeAll(async () => {
  await installPlatform(root);
  [graph, developers] = await Promise.all([evaluate(root, "production"), evaluate(root, "maya")]);
  production = readManifest(graph);
});

const inputsOf = ({ resources }: Graph, type: string) =>
  resources.filter((resource) => resource.type === type).map(({ inputs }) => inputs);

describe("production", () => {
  test("cannot be removed by accident, and leaves its data when it is", () => {
    expect([graph.protect, graph.removal]).toEqual([true, "retain"]);
    expect(named(production.tables, "Ledger").deletionProtection).toBe(true);
    expect(inputsOf(graph, "aws:s3/bucket:Bucket")).toEqual([
      { bucket: "tollgate-production-imagesbucket", forceDestroy: false },
    ]);
  });

  test("fails a deployment that would replace or delete what holds data: the table, the bucket and every queue", () => {
    const keepers = ["aws:dynamodb/table:Table", "aws:s3/bucket:Bucket", "aws:sqs/queue:Queue"];
    const protectedNames = (of: Graph, protect: boolean) =>
      of.resources.filter((it) => it.protect === protect && keepers.includes(it.type)).map(({ name }) => name);
    expect(protectedNames(graph, true)).toEqual(
      expect.arrayContaining(["LedgerTable", "ImagesBucket", "ImageUploadedQueueQueue", "SettleLaterDlqQueue"]),
    );
    expect(protectedNames(graph, false)).toEqual([]);
    expect(protectedNames(developers, true)).toEqual([]);
    // Everything else may be replaced: functions and roles are made anew from the code.
    expect(graph.resources.filter(({ protect, type }) => protect && !keepers.includes(type))).toEqual([]);
  });

  test("can go back to how its table was at any second of the last weeks", () => {
    expect(named(production.tables, "Ledger").pointInTimeRecovery).toBe(true);
  });

  test("deletes items at their time", () => {
    expect(named(production.tables, "Ledger").ttlAttribute).toBe("expires_at");
  });

  test("keeps its bucket private, behind HTTPS, and clear of what was given up", () => {
    const { blockPublicAccess, lifecycle, policy } = named(production.buckets, "Images");
    expect(blockPublicAccess).toBe(true);
    expect(policy).toEqual([
      expect.objectContaining({
        effect: "Deny",
        principals: { "*": ["*"] },
        actions: ["s3:*"],
        conditions: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }],
      }),
    ]);
    expect(lifecycle).toEqual(
      expect.arrayContaining([
        { prefix: null, expirationDays: null, abortMultipartDays: 1 },
        { prefix: "requests/", expirationDays: 15, abortMultipartDays: null },
      ]),
    );
  });

  test("holds back more requests than it is made for", () => {
    expect(production.api.throttling).toEqual({ rateLimit: 100, burstLimit: 200 });
  });

  test("runs every function on arm64 and Node 24, with a log of JSON that is kept for a month", () => {
    expect(Object.keys(production.functions).length).toBeGreaterThan(10);
    for (const [name, { architecture, runtime, logRetentionDays }] of Object.entries(production.functions)) {
      expect([name, architecture, runtime, logRetentionDays]).toEqual([name, "arm64", "nodejs24.x", 30]);
    }
    for (const { loggingConfig } of inputsOf(graph, "aws:lambda/function:Function"))
      expect(loggingConfig).toMatchObject({ logFormat: "JSON" });
  });
});

test("no function is told the key of OpenAI by its environment", () => {
  for (const { environment } of Object.values(production.functions))
    for (const [name, value] of Object.entries(environment)) expect(`${name}=${value}`).not.toMatch(/API_?KEY|secret/i);
});

test("a developer's own stage can be removed without a trace", () => {
  expect([developers.protect, developers.removal]).toEqual([false, "remove"]);
  expect(inputsOf(developers, "aws:s3/bucket:Bucket")).toMatchObject([{ forceDestroy: true }]);
  expect(named(readManifest(developers).tables, "Ledger").deletionProtection).toBe(false);
});
