import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bundleFunctions } from "../../../packages/local/src/bundle.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), "tollgate-bundle-"));
  await mkdir(path.join(root, "src"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const write = (file: string, source: string) => writeFile(path.join(root, file), source);
const bundle = (handlers: Record<string, string>, minify = false) =>
  bundleFunctions({
    root,
    outDir: path.join(root, "out"),
    functions: Object.fromEntries(
      Object.entries(handlers).map(([name, handler]) => [name, { handler, build: { minify, sourcemap: false } }]),
    ),
  });

it("makes an ES module for each function, with a source map, under the handler's own path", async () => {
  await write("src/shared.ts", "export const answer: number = 42;");
  await write("src/chat.ts", `import { answer } from "./shared.ts"; export const handler = async () => answer;`);
  const bundles = await bundle({ Chat: "src/chat.handler", Again: "src/chat.handler" });
  expect(bundles).toEqual({
    Chat: { dir: path.join(root, "out/Chat"), handler: "src/chat.handler" },
    Again: { dir: path.join(root, "out/Again"), handler: "src/chat.handler" },
  });
  await stat(path.join(root, "out/Chat/src/chat.mjs.map"));
  const { handler } = await import(path.join(root, "out/Chat/src/chat.mjs"));
  expect(await handler()).toBe(42);
});

it("writes dots in a file's name as dashes, since Lambda splits a handler at its first dot", async () => {
  await write("src/image.uploaded.ts", "export const handler = async () => 1;");
  const { Uploaded } = await bundle({ Uploaded: "src/image.uploaded.handler" });
  expect(Uploaded?.handler).toBe("src/image-uploaded.handler");
  await stat(path.join(root, "out/Uploaded/src/image-uploaded.mjs"));
});

it("gives CommonJS packages their require, __filename and __dirname", async () => {
  await write(
    "src/old.cjs",
    `module.exports = { platform: require("node:os").platform(), file: __filename, dir: __dirname };`,
  );
  await write("src/main.ts", `import old from "./old.cjs"; console.log(JSON.stringify(old));`);
  const { Main } = await bundle({ Main: "src/main.handler" });
  const file = path.join(Main?.dir ?? "", "src/main.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  expect(JSON.parse(stdout)).toEqual({ platform: os.platform(), file, dir: `${path.dirname(file)}/` });
});

it("keeps names when it minifies, and leaves sharp and pg-native out", async () => {
  const source = `import sharp from "sharp"; import pg from "pg-native";
    class VeryLongErrorName extends Error {} export const handler = async () => [VeryLongErrorName.name, sharp, pg];`;
  await write("src/small.ts", source);
  await bundle({ Small: "src/small.handler" }, true);
  const code = await readFile(path.join(root, "out/Small/src/small.mjs"), "utf8");
  expect(code).toContain(`"VeryLongErrorName"`);
  expect(code).toMatch(/from\s*"sharp"/);
  expect(code).toMatch(/from\s*"pg-native"/);
});

it("shows esbuild's message with file, line and column for every function that does not build", async () => {
  await write("src/a.ts", `\nimport "./missing.ts";`);
  await write("src/b.ts", "export const handler = async () => {{;");
  const failure = bundle({ A: "src/a.handler", B: "src/b.handler" });
  await expect(failure).rejects.toThrow(/src\/a\.ts:2:7: ERROR: Could not resolve ".\/missing.ts"/);
  await expect(failure).rejects.toThrow(/src\/b\.ts:1:\d+: ERROR/);
  await expect(bundle({ C: "src/absent.handler" })).rejects.toThrow(/no file src\/absent/);
});
