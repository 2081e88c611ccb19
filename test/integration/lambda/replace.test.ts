import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bundleFunctions } from "../../../packages/local/src/bundle.ts";
import { startFunctions } from "./functions.ts";
import { startGate } from "./gate.ts";

/** Waits at the gate, when it is given one, then says which code ran. */
const says = (text: string) => `declare const process: any;
  export const handler = async ({ gate }: any) => {
    if (gate) await fetch(gate);
    return { text: "${text}", pid: process.pid };
  };`;

let root: string;
let gate: Awaited<ReturnType<typeof startGate>>;
let lambda: Awaited<ReturnType<typeof startFunctions>>;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), "tollgate-replace-"));
  gate = await startGate();
  lambda = await startFunctions({ one: { source: says("old") }, other: { source: says("old") } });
});
afterEach(async () => {
  await lambda.stop();
  await gate.close();
  await rm(root, { recursive: true });
});

async function newCode() {
  await mkdir(path.join(root, "functions"), { recursive: true });
  await writeFile(path.join(root, "functions/one.ts"), says("new"));
  const build = { minify: false, splitting: true, keepNames: true };
  const functions = { one: { handler: "functions/one.handler", build } };
  const { one } = await bundleFunctions({ root, outDir: path.join(root, "out"), functions });
  if (!one) throw new Error("one was not bundled");
  return one;
}

const invoke = async (name: string, event: object = {}): Promise<{ text: string; pid: number }> =>
  JSON.parse((await lambda.invoke(name, event)).payload);

it("an invocation that is at work ends with the old code, and the next one runs the new", async () => {
  const begun = invoke("one", { gate: gate.url });
  await gate.arrived(1);
  const replaced = lambda.replace("one", await newCode());
  let hasEnded = false;
  const ended = replaced.then(() => {
    hasEnded = true;
  });

  expect(await invoke("one")).toMatchObject({ text: "new" });
  expect(hasEnded).toBe(false);
  gate.open();
  expect(await begun).toMatchObject({ text: "old" });
  await ended;
});

it("an idle environment with the old code ends, and those of other functions stay", async () => {
  const [old, other] = [await invoke("one"), await invoke("other")];
  await lambda.replace("one", await newCode());

  expect(() => process.kill(old.pid, 0)).toThrow("ESRCH");
  expect(await invoke("one")).toMatchObject({ text: "new" });
  expect(await invoke("other")).toEqual(other);
});
