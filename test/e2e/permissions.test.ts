import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createPrincipals } from "@tollgate/local/aws/iam";
import { type Manifest, readManifest } from "@tollgate/local/manifest";
import { startStage } from "@tollgate/local/stage";
import { afterEach, describe, expect, test } from "vitest";
import { named } from "../infra/stage.ts";
import { newCaller } from "./client.ts";
import { recordUse, unusedPermissions } from "./permissions.ts";

const root = resolve(import.meta.dirname, "../..");
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-permissions-"));
  ends.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A stage of its own, whose `infra/` is not as it should be. */
async function start(spoil: (manifest: Manifest) => void) {
  const manifest = readManifest(root);
  spoil(manifest);
  const log: string[][] = [];
  const stage = await startStage({
    root,
    dir: temporaryDir(),
    port: 0,
    manifest,
    log: (source, line) => void log.push([source, line]),
  });
  ends.push(stage.stop);
  return { manifest, info: stage.info, log };
}

describe("what infra/ forgets is found on the local stage", () => {
  test("a permission: the call fails, and the log says who lacks it, for what", async () => {
    const { manifest, info, log } = await start(({ functions }) => {
      named(functions, "Usage").policy = [];
    });
    const caller = await newCaller(info);
    expect((await caller.send("GET", "/usage")).status).toBe(500);
    const { account, tables } = manifest;
    expect(log).toContainEqual([
      "Usage",
      `User: arn:aws:sts::${account}:assumed-role/Usage/Usage is not authorized to perform: dynamodb:Query on resource: ` +
        `${named(tables, "Ledger").arn} because no identity-based policy allows the dynamodb:Query action`,
    ]);
  });

  test("a queue's policy: the stage does not start, and names queue and bucket", async () => {
    const starting = start(({ queues }) => {
      named(queues, "ImageUploadedQueue").policy = [];
    });
    await expect(starting).rejects.toThrow(
      /Unable to validate the following destination configurations: .*ImageUploadedQueue.*imagesbucket/,
    );
  });
});

test("what infra/ grants too much is found at the end of these tests", () => {
  const file = join(temporaryDir(), "permissions.txt");
  const bucket = "arn:aws:s3:::images";
  const table = "arn:aws:dynamodb:us-east-1:000000000000:table/ledger";
  const kinds = ["result#*", "usage#*", "budget#*"];
  const policy = [
    {
      effect: "Allow" as const,
      actions: ["dynamodb:UpdateItem"],
      resources: [table],
      conditions: [
        { test: "ForAllValues:StringLike", variable: "dynamodb:LeadingKeys", values: kinds },
        { test: "Null", variable: "dynamodb:LeadingKeys", values: ["false"] },
      ],
    },
    { effect: "Allow" as const, actions: ["s3:GetObject", "s3:PutObject"], resources: [`${bucket}/outputs/*`] },
    { effect: "Allow" as const, actions: ["s3:GetObject"], resources: [`${bucket}/uploads/*`] },
  ];
  const chat = { accessKeyId: "chat", secretAccessKey: "", name: "Chat", policy };
  const principals = createPrincipals({ onDecision: recordUse(file) });
  for (const action of ["s3:GetObject", "s3:DeleteObject"])
    principals.authorize({ principal: chat, action, resource: `${bucket}/outputs/acme/1.json` });

  for (const key of ["result#1", "usage#acme", "key#1"]) {
    const context = { "dynamodb:LeadingKeys": [key] };
    principals.authorize({ principal: chat, action: "dynamodb:UpdateItem", resource: table, context });
  }

  const manifest = readManifest(root);
  manifest.functions = { Chat: { ...named(manifest.functions, "Chat"), policy } };
  expect(unusedPermissions(manifest, file)).toEqual([
    `Chat: dynamodb:UpdateItem on ${table} of budget#*`,
    `Chat: s3:PutObject on ${bucket}/outputs/*`,
    `Chat: s3:GetObject on ${bucket}/uploads/*`,
  ]);
});
