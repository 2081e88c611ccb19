import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleFunctions } from "../../../packages/local/src/bundle.ts";

let root: string;
let cache: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), "tollgate-build-cache-"));
  cache = path.join(root, "node_modules/.cache/tollgate");
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(files: Record<string, string>) {
  for (const [file, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), content);
  }
  // What was written just now might still be changing, and what is built of it is not used again.
  await setTimeout(30);
}

const byDefault = { minify: false, splitting: false, keepNames: true };
const split = { minify: true, splitting: true, keepNames: false };

/** Bundles `src/main.ts` as a stage would that starts in a folder of its own. Returns what lies there, by name. */
async function bundled(build = byDefault): Promise<Record<string, string>> {
  const outDir = await mkdtemp(path.join(root, "stage-"));
  await bundleFunctions({ root, outDir, functions: { Main: { handler: "src/main.handler", build } } });
  return contentOf(path.join(outDir, "Main"));
}

async function contentOf(dir: string): Promise<Record<string, string>> {
  const names = await readdir(dir);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(dir, name), "utf8")])),
  );
}

const entries = async () => (await readdir(cache)).map((name) => path.join(cache, name));

/** Changes what is kept, so that it can be told from what is built. */
async function markKept(from: string, to: string) {
  for (const entry of await entries()) {
    const kept = await readFile(entry, "latin1");
    expect(kept).toContain(from);
    await writeFile(entry, kept.replaceAll(from, to), "latin1");
  }
}

describe("a function whose sources have not changed", () => {
  it("is not built again", async () => {
    await write({ "src/main.ts": `export const handler = async () => "was built";` });
    await bundled();
    await markKept("was built", "is reused");
    expect((await bundled())["bundle.mjs"]).toContain("is reused");
  });

  describe.each([byDefault, split])("built with %j", (build) => {
    beforeEach(() =>
      write({
        "src/lazy.ts": `export const fail = () => { throw new Error("here"); };`,
        "src/main.ts": `export const handler = async () => (await import("./lazy.ts")).fail();`,
      }),
    );

    it("is the same to the byte in every stage, with its pieces and their maps", async () => {
      const built = await bundled(build);
      expect(Object.keys(built)).toHaveLength(build.splitting ? 4 : 2);
      expect(await bundled(build)).toEqual(built);
      await rm(cache, { recursive: true });
      expect(await bundled(build)).toEqual(built);
    });

    it("has maps that lead to its sources, wherever it lies", async () => {
      await bundled(build);
      const outDir = path.join(root, "as/deep/as/may/be");
      await bundleFunctions({ root, outDir, functions: { Main: { handler: "src/main.handler", build } } });
      const script = `import(${JSON.stringify(path.join(outDir, "Main/bundle.mjs"))})
        .then(({ handler }) => handler()).catch(({ stack }) => console.log(stack));`;
      const { stdout } = await promisify(execFile)(process.execPath, ["--enable-source-maps", "-e", script]);
      expect(stdout).toContain(`${path.join(root, "src/lazy.ts")}:1:`);
      expect(stdout).toContain(`${path.join(root, "src/main.ts")}:1:`);
    });
  });
});

/** What there is, what then becomes of it, and what the code says before and after. */
const changes: Record<string, { before: Record<string, string>; after: Record<string, string> }> = {
  "its own source": {
    before: { "src/main.ts": `export const handler = async () => "before";` },
    after: { "src/main.ts": `export const handler = async () => "after";` },
  },
  "what it imports": {
    before: {
      "src/main.ts": `import { said } from "./said.ts"; export const handler = async () => said;`,
      "src/said.ts": `export const said = "before";`,
    },
    after: { "src/said.ts": `export const said = "after";` },
  },
  "a package's file, into one of the same size and time": {
    before: {
      "src/main.ts": `import said from "said"; export const handler = async () => said;`,
      "node_modules/said/index.js": `export default "before";`,
    },
    after: { "node_modules/said/index.js": `export default "after" ;` },
  },
  "what a package exports": {
    before: {
      "src/main.ts": `import said from "said"; export const handler = async () => said;`,
      "node_modules/said/package.json": `{"exports": "./old.js"}`,
      "node_modules/said/old.js": `export default "before";`,
      "node_modules/said/new.js": `export default "after";`,
    },
    after: { "node_modules/said/package.json": `{"exports": "./new.js"}` },
  },
  "which version of a package npm has put nearest": {
    before: {
      "src/main.ts": `import said from "said"; export const handler = async () => said;`,
      "node_modules/.package-lock.json": `{"packages": {"node_modules/said": {}}}`,
      "node_modules/said/index.js": `export default "before";`,
    },
    after: {
      "node_modules/.package-lock.json": `{"packages": {"node_modules/said": {}, "src/node_modules/said": {}}}`,
      "src/node_modules/said/index.js": `export default "after";`,
    },
  },
  "where tsconfig.json has its imports lead": {
    before: {
      "src/main.ts": `import { said } from "#said"; export const handler = async () => said;`,
      "src/old.ts": `export const said = "before";`,
      "src/new.ts": `export const said = "after";`,
      "tsconfig.json": `{"compilerOptions": {"paths": {"#said": ["./src/old.ts"]}}}`,
    },
    after: { "tsconfig.json": `{"compilerOptions": {"paths": {"#said": ["./src/new.ts"]}}}` },
  },
  "what tsconfig.json extends": {
    before: {
      "src/main.ts": `import { said } from "#said"; export const handler = async () => said;`,
      "src/old.ts": `export const said = "before";`,
      "src/new.ts": `export const said = "after";`,
      "tsconfig.base.json": `{"compilerOptions": {"paths": {"#said": ["./src/old.ts"]}}}`,
      "tsconfig.json": `{"extends": "./tsconfig.base.json"}`,
    },
    after: { "tsconfig.base.json": `{"compilerOptions": {"paths": {"#said": ["./src/new.ts"]}}}` },
  },
  "a tsconfig.json that came to lie nearer": {
    before: {
      "src/main.ts": `import { said } from "#said"; export const handler = async () => said;`,
      "src/old.ts": `export const said = "before";`,
      "src/new.ts": `export const said = "after";`,
      "tsconfig.json": `{"compilerOptions": {"paths": {"#said": ["./src/old.ts"]}}}`,
    },
    after: { "src/tsconfig.json": `{"compilerOptions": {"paths": {"#said": ["./new.ts"]}}}` },
  },
};

describe("a function is built again when there changed", () => {
  it.each(Object.entries(changes))("%s", async (_, { before, after }) => {
    const sameTime = new Date("1985-10-26T08:15:00Z");
    const writeAt = async (files: Record<string, string>) => {
      await write(files);
      for (const file of Object.keys(files)) await utimes(path.join(root, file), sameTime, sameTime);
      await setTimeout(30);
    };
    await writeAt(before);
    expect((await bundled())["bundle.mjs"]).toContain(`"before"`);
    await writeAt(after);
    const code = (await bundled())["bundle.mjs"];
    expect(code).toContain(`"after"`);
    expect(code).not.toContain(`"before"`);
  });

  it("how it is built, and what was built the other way is kept too", async () => {
    await write({ "src/main.ts": "export const handler = async () => { const answer = 42; return answer; };" });
    const plain = await bundled();
    const minified = await bundled({ ...byDefault, minify: true });
    expect(minified["bundle.mjs"]).not.toContain("const answer");
    expect(await bundled()).toEqual(plain);
    expect(await entries()).toHaveLength(2);
  });

  it("a source while it was built, whichever of its states went in", async () => {
    await write({ "src/main.ts": "" });
    for (let round = 0; round < 15; round++) {
      const source = `export const handler = async () => "round ${round}";`;
      const building = bundled();
      await setTimeout(round);
      await writeFile(path.join(root, "src/main.ts"), source);
      await building;
      await setTimeout(30);
      expect((await bundled())["bundle.mjs"]).toContain(`"round ${round}"`);
    }
  });

  it("a file that is gone, and esbuild says so", async () => {
    await write({ "src/main.ts": `import "./gone.ts"; export const handler = async () => 1;`, "src/gone.ts": "" });
    await bundled();
    await rm(path.join(root, "src/gone.ts"));
    await expect(bundled()).rejects.toThrow(/src\/main\.ts:1:7: ERROR: Could not resolve ".\/gone.ts"/);
  });
});

describe("what is kept", () => {
  beforeEach(() => write({ "src/main.ts": `export const handler = async () => "was built";` }));

  it("is one file for a function, however often it changes", async () => {
    await bundled();
    await write({ "src/main.ts": `export const handler = async () => "changed";` });
    await bundled();
    expect(await entries()).toHaveLength(1);
  });

  it("is not used when it is broken, and is made good", async () => {
    const built = await bundled();
    const [entry = ""] = await entries();
    const { size: sizeBytes } = await stat(entry);
    for (const leftBytes of [0, 1, Math.floor(sizeBytes / 2), sizeBytes - 1]) {
      await truncate(entry, leftBytes);
      expect(await bundled()).toEqual(built);
      expect(await stat(entry)).toMatchObject({ size: sizeBytes });
    }
  });

  it("is right when two processes start at once, and nothing unfinished is left", async () => {
    const bundleModule = path.resolve(import.meta.dirname, "../../../packages/local/src/bundle.ts");
    const start = async (name: string) => {
      const functions = { Main: { handler: "src/main.handler", build: split } };
      const options = JSON.stringify({ root, outDir: path.join(root, name), functions });
      const script = `import { bundleFunctions } from ${JSON.stringify(bundleModule)}; await bundleFunctions(${options});`;
      await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
      return contentOf(path.join(root, name, "Main"));
    };
    const [one, other] = await Promise.all([start("one"), start("other")]);
    expect(one["bundle.mjs"]).toContain(`"was built"`);
    expect(other).toEqual(one);
    expect(await entries()).toHaveLength(1);
    expect(await bundled(split)).toEqual(one);
  });

  it("is thrown away after 30 days, with what a killed process left", async () => {
    await bundled();
    const [entry = ""] = await entries();
    const unfinished = `${entry}.0`;
    await writeFile(unfinished, "half");
    const old = new Date(Date.now() - 31 * 24 * 3_600_000);
    for (const file of [entry, unfinished]) await utimes(file, old, old);
    await bundled(split);
    const [left, ...more] = await entries();
    expect(more).toEqual([]);
    expect([entry, unfinished]).not.toContain(left);
  });

  it("is nothing where nothing can be written, and every start builds", async () => {
    await writeFile(path.join(root, "node_modules"), "");
    expect((await bundled())["bundle.mjs"]).toContain("was built");
  });
});
