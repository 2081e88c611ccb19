import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bundle, bundleFunctions } from "../../../packages/local/src/bundle.ts";
import { environmentOf, newCredentials } from "../../../packages/local/src/environment.ts";
import { committedManifest, named, root } from "../../infra/stage.ts";

const manifest = await committedManifest();
const nowhere = "http://127.0.0.1:9";

let outDir: string;
let bundles: Record<string, Bundle>;
beforeAll(async () => {
  outDir = await mkdtemp(path.join(os.tmpdir(), "tollgate-cold-start-"));
  bundles = await bundleFunctions({ root, outDir, functions: manifest.functions });
}, 120_000);
afterAll(() => rm(outDir, { recursive: true, force: true }));

/** Imports a function's bundle in a process of its own, and tells whether Node then had loaded its fetch. */
async function loadsFetch(name: string, then = ""): Promise<boolean> {
  const env = environmentOf(named(manifest.functions, name), manifest, newCredentials(), {
    region: "us-east-1",
    endpoints: { dynamodb: nowhere, s3: nowhere, sqs: nowhere },
    queueUrl: (queue) => `${nowhere}/${queue}`,
    secrets: { OpenAIApiKey: "sk-none" },
    openai: {},
  });
  const file = path.join(named(bundles, name).dir, "bundle.mjs");
  const script = `
    globalThis.awslambda = { streamifyResponse: (handler) => handler };
    await import(${JSON.stringify(file)});
    ${then}
    console.log(process.moduleLoadList.includes("NativeModule internal/deps/undici/undici"));`;
  const args = ["--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...env, PATH: process.env.PATH } });
  return JSON.parse(stdout);
}

const names = Object.keys(manifest.functions);
const callOpenAI = names.filter((name) => "OpenAIApiKey" in named(manifest.functions, name).links);

test.each(names)("%s does not load Node's fetch, which takes longer than all that it needs", async (name) => {
  expect(await loadsFetch(name)).toBe(false);
});

test.each(callOpenAI)("%s has headers for OpenAI's client that do not load it either", async (name) => {
  expect(await loadsFetch(name, "new Headers()")).toBe(false);
});

test("a process that asks for Node's own is told apart", async () => {
  expect(await loadsFetch("Health", "new Headers()")).toBe(true);
});
