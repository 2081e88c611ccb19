import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleFunctions } from "../../../packages/local/src/bundle.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), "tollgate-bundle-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(file: string, source: string) {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), source);
}
type Build = Parameters<typeof bundleFunctions>[0]["functions"][string]["build"];
/** What SST does for a function that asks for nothing. */
const byDefault: Build = { minify: false, splitting: false, keepNames: true };

const bundle = (handlers: Record<string, string>, build: Partial<Build> = {}) =>
  bundleFunctions({
    root,
    outDir: path.join(root, "out"),
    functions: Object.fromEntries(
      Object.entries(handlers).map(([name, handler]) => [name, { handler, build: { ...byDefault, ...build } }]),
    ),
  });

/** The code of a bundle made of `src/main.ts`. */
async function bundled(source: string, build: Partial<Build> = {}): Promise<string> {
  await write("src/main.ts", source);
  await bundle({ Main: "src/main.handler" }, build);
  return readFile(path.join(root, "out/Main/bundle.mjs"), "utf8");
}

it("makes a bundle for each function, whose handler is named as SST names it", async () => {
  await write("src/shared.ts", "export const answer: number = 42;");
  await write("src/chat.ts", `import { answer } from "./shared.ts"; export const handler = async () => answer;`);
  await write("src/image.uploaded.ts", "export const main = async () => 1;");
  const bundles = await bundle({
    Chat: "src/chat.handler",
    Again: "src/chat.handler",
    Uploaded: "src/image.uploaded.main",
  });
  // They are alike, and made in one run: each has the sources of all.
  const sources = { inputs: ["src/shared.ts", "src/chat.ts", "src/image.uploaded.ts"], digest: expect.any(String) };
  expect(bundles).toEqual({
    Chat: { dir: path.join(root, "out/Chat"), handler: "bundle.handler", ...sources },
    Again: { dir: path.join(root, "out/Again"), handler: "bundle.handler", ...sources },
    Uploaded: { dir: path.join(root, "out/Uploaded"), handler: "bundle.main", ...sources },
  });
  const { handler } = await import(path.join(root, "out/Chat/bundle.mjs"));
  expect(await handler()).toBe(42);
});

it("shows esbuild's message with file, line and column for every function that does not build", async () => {
  await write("src/a.ts", `\nimport "./missing.ts";`);
  await write("src/b.ts", "export const handler = async () => {{;");
  const failure = bundle({ A: "src/a.handler", B: "src/b.handler" });
  await expect(failure).rejects.toThrow(/src\/a\.ts:2:7: ERROR: Could not resolve ".\/missing.ts"/);
  await expect(failure).rejects.toThrow(/src\/b\.ts:1:\d+: ERROR/);
  await expect(bundle({ C: "src/absent.handler" })).rejects.toThrow(/no file src\/absent/);
});

/**
 * Each is a setting of SST's bundler for `nodejs24.x`, seen by what it does. Source: `pkg/runtime/node/build.go` of
 * github.com/anomalyco/sst, tag v4.17.0, read in November 2026.
 */
describe("a bundle, as SST builds it", () => {
  it("is one file, with its source map beside it, and dynamic imports inside", async () => {
    await write("src/lazy.ts", "export const answer = 42;");
    const code = await bundled(`export const handler = async () => (await import("./lazy.ts")).answer;`);
    expect((await readdir(path.join(root, "out/Main"))).sort()).toEqual(["bundle.mjs", "bundle.mjs.map"]);
    expect(code).toMatch(/\n\/\/# sourceMappingURL=bundle\.mjs\.map\n$/);
  });

  it("is split, when it is asked for, into a piece for each dynamic import, beside the bundle of its function", async () => {
    await write("src/lazy.ts", "export const answer = 42;");
    await write("src/main.ts", `export const handler = async () => (await import("./lazy.ts")).answer;`);
    await bundle({ Main: "src/main.handler", Other: "src/main.handler" }, { minify: true, splitting: true });
    for (const name of ["Main", "Other"]) {
      const files = (await readdir(path.join(root, "out", name))).filter((file) => file.endsWith(".mjs"));
      expect(files.sort()).toEqual([
        "bundle.mjs",
        expect.stringMatching(/^chunk-\w+\.mjs$/),
        expect.stringMatching(/^lazy-\w+\.mjs$/),
      ]);
      const { handler } = await import(path.join(root, "out", name, "bundle.mjs"));
      expect(await handler()).toBe(42);
    }
  });

  it("is an ES module, in a package of whatever type", async () => {
    await write("package.json", `{"type": "commonjs"}`);
    await bundled("export const handler = async () => import.meta.filename;");
    const { handler } = await import(path.join(root, "out/Main/bundle.mjs"));
    expect(await handler()).toBe(path.join(root, "out/Main/bundle.mjs"));
  });

  it("has ES2024 as its target: what is newer is written in older words", async () => {
    const code = await bundled(`export const handler = () => { using it = { [Symbol.dispose]() {} }; return it; };
      export const letters = /[\\p{L}--a]/v;`);
    expect(code).not.toMatch(/\busing it\b/);
    expect(code).toContain("/[\\p{L}--a]/v");
  });

  it("takes a package's ES module before its CommonJS, by `exports` and by its main fields", async () => {
    const files = {
      "module.js": "export default 'module'",
      "import.js": "export default 'import'",
      "main.js": "module.exports = 'main'",
    };
    for (const [file, source] of Object.entries(files))
      for (const name of ["by-fields", "by-exports"]) await write(`node_modules/${name}/${file}`, source);
    await write(
      "node_modules/by-fields/package.json",
      `{"main": "./main.js", "module": "./module.js", "browser": "./import.js"}`,
    );
    const conditions = { browser: "./main.js", module: "./module.js", import: "./import.js", default: "./main.js" };
    await write("node_modules/by-exports/package.json", JSON.stringify({ exports: conditions }));
    await bundled(
      `import fields from "by-fields"; import exports from "by-exports"; export const handler = () => [fields, exports];`,
    );
    const { handler } = await import(path.join(root, "out/Main/bundle.mjs"));
    expect(handler()).toEqual(["module", "module"]);
  });

  it("gives CommonJS packages their require, __filename and __dirname", async () => {
    await write(
      "src/old.cjs",
      `module.exports = { platform: require("node:os").platform(), file: __filename, dir: __dirname };`,
    );
    await bundled(`import old from "./old.cjs"; console.log(JSON.stringify(old)); export const handler = () => old;`);
    const file = path.join(root, "out/Main/bundle.mjs");
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    expect(JSON.parse(stdout)).toEqual({ platform: os.platform(), file, dir: `${path.dirname(file)}/` });
  });

  it("keeps names when it minifies, unless it is told not to", async () => {
    const source =
      "class VeryLongErrorName extends Error {} export const handler = async () => VeryLongErrorName.name;";
    const code = await bundled(source, { minify: true });
    expect(code).toContain(`"VeryLongErrorName"`);
    expect(code.length).toBeLessThan((await bundled(source)).length);
    expect(await bundled(source, { minify: true, keepNames: false })).not.toContain("VeryLongErrorName");
  });

  it("leaves out what infra/ says no function comes to import", async () => {
    await write("node_modules/elsewhere/index.js", `export default "what is elsewhere";`);
    const source = `export const handler = async () => (await import("elsewhere")).default;`;
    expect(await bundled(source)).toContain("what is elsewhere");
    expect(await bundled(source, { external: ["elsewhere"] })).not.toContain("what is elsewhere");
  });

  it("leaves sharp and pg-native out", async () => {
    const code = await bundled(
      `import sharp from "sharp"; import pg from "pg-native"; export const handler = async () => [sharp, pg];`,
    );
    expect(code).toMatch(/from\s*"sharp"/);
    expect(code).toMatch(/from\s*"pg-native"/);
  });
});

describe("SST's own program", () => {
  it("has compiled in the esbuild that makes these bundles, and the lines that they begin with", async () => {
    const program = await readFile(
      createRequire(import.meta.url).resolve(`sst-${process.platform}-${process.arch}/bin/sst`),
    );
    const module = "\tgithub.com/evanw/esbuild\tv";
    const { dependencies } = await readJson("../../../packages/local/package.json");
    expect(program.includes(`${module}${dependencies.esbuild}\t`)).toBe(true);
    const banner = (await bundled("export const handler = async () => {};")).split("\n").slice(0, 5);
    expect(banner.filter((line) => !program.includes(line))).toEqual([]);
    expect(banner.join()).toContain("createRequire");
  });
});

const readJson = async (file: string) => JSON.parse(await readFile(path.join(import.meta.dirname, file), "utf8"));

it("has the packages beside it that infra/ has installed, and leaves sharp out of the others", async () => {
  const source = `export const handler = async () => (await import("sharp")).default;`;
  await write("src/main.ts", source);
  await write("node_modules/sharp/index.js", `module.exports = require("libvips");`);
  await write("node_modules/libvips/index.js", `module.exports = "libvips";`);
  const build = { ...byDefault, minify: true, splitting: true };
  const functions = {
    With: { handler: "src/main.handler", build: { ...build, install: ["sharp"] } },
    Without: { handler: "src/main.handler", build },
  };
  const outDir = await mkdtemp(path.join(os.tmpdir(), "tollgate-bundle-"));
  try {
    await bundleFunctions({ root, outDir, functions });
    // Again, over what the last run left.
    const bundles = await bundleFunctions({ root, outDir, functions });
    // In a process of its own: here, vitest would find the repository's.
    const answerOf = async (name: string) => {
      const file = path.join(bundles[name]?.dir ?? "", "bundle.mjs");
      const script = `import(${JSON.stringify(file)}).then(({ handler }) => handler()).then(console.log)`;
      return (await promisify(execFile)(process.execPath, ["-e", script])).stdout.trim();
    };
    expect(await answerOf("With")).toBe("libvips");
    await expect(answerOf("Without")).rejects.toThrow(/Cannot find package 'sharp'/);
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
});
