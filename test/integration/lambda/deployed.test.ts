import { createCipheriv, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Bundle, bundleFunctions } from "../../../packages/local/src/bundle.ts";
import { type Lambda, startLambda } from "../../../packages/local/src/lambda/lambda.ts";
import { buildRuntimeClient } from "../../../packages/local/src/lambda/runtime-client.ts";
import type { FunctionSpec } from "../../../packages/local/src/manifest.ts";
import { committedManifest, named, root } from "../../infra/stage.ts";
import { runtimeClient } from "../../runtime-client.ts";

const { functions, secrets, region, account } = await committedManifest();
let dir: string;
let lambda: Lambda;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), "tollgate-deployed-"));
  const bundles = await bundleFunctions({ root, outDir: dir, functions });
  const deployed = Object.entries(functions).map(async ([name, spec]) => {
    const bundle = named(bundles, name);
    const environment = { ...spec.environment, ...(await encryptLinks(bundle, spec)) };
    // No such export: the module is loaded, and nothing in it is called.
    return [name, { spec, environment, bundle: { ...bundle, handler: "bundle.absent" } }] as const;
  });
  lambda = await startLambda({
    functions: Object.fromEntries(await Promise.all(deployed)),
    runtimeClient: runtimeClient ?? (await buildRuntimeClient(dir)),
    region,
    accountId: account,
    log: () => {},
  });
});
afterAll(async () => {
  await lambda.stop();
  await rm(dir, { recursive: true });
});

/** Leaves the function's links beside its code, and returns the variables that open them, as `sst deploy` does. */
async function encryptLinks({ dir }: Bundle, { links }: FunctionSpec) {
  const linked = Object.entries(links).map(([name, properties]) => [
    name,
    secrets.includes(name) ? { value: "sk-secret" } : properties,
  ]);
  const key = randomBytes(32);
  const cipher = createCipheriv("aes-256-gcm", key, Buffer.alloc(12));
  const sealed = [cipher.update(JSON.stringify(Object.fromEntries(linked))), cipher.final(), cipher.getAuthTag()];
  await writeFile(path.join(dir, "resource.enc"), Buffer.concat(sealed));
  return { SST_KEY: key.toString("base64"), SST_KEY_FILE: "resource.enc" };
}

it.each(Object.keys(functions))("%s loads from no more than what is deployed with it", async (name) => {
  const { payload } = await lambda.invoke(name, {});
  expect(JSON.parse(payload)).toMatchObject({
    errorType: "Runtime.HandlerNotFound",
    errorMessage: "bundle.absent is undefined or not exported",
  });
});
