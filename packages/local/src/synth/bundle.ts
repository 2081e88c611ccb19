import { readFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

/** The part of Pulumi's SDK that is called here. */
interface Pulumi {
  runtime: {
    setMocks(mocks: object, project: string, stack: string, preview: boolean): Promise<void>;
    /** Where the mocks hear of every resource, options included. */
    getMonitor(): Monitor;
    runInPulumiStack(program: () => Promise<unknown>): Promise<unknown>;
  };
}

interface Registration {
  getType(): string;
  getName(): string;
  getProtect(): boolean;
}

interface Monitor {
  registerResource(registration: Registration, callback: unknown): unknown;
}

interface App {
  name: string;
  home: string;
  removal?: string;
  protect?: boolean;
  providers?: { aws?: { region?: string } };
}

/** What the bundle exports. */
export interface Program {
  config: { app(input: { stage: string }): App | Promise<App>; run(): Promise<unknown> };
  /** SST's own way into a configuration's `run`. */
  run(program: () => Promise<unknown>): Promise<unknown>;
  pulumi: Pulumi;
}

/** Bundles sst.config.ts and what it imports with SST's components, all in one module graph. */
export async function bundle({
  root,
  platform,
  outfile,
}: {
  root: string;
  platform: string;
  outfile: string;
}): Promise<Program> {
  await build({
    stdin: {
      contents: [
        `export { run } from "${platform}/src/auto/run.ts";`,
        `export * as pulumi from "@pulumi/pulumi";`,
        `export { default as config } from "./sst.config.ts";`,
      ].join("\n"),
      resolveDir: root,
      loader: "ts",
    },
    plugins: [globals(platform)],
    banner: {
      js: [
        `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
        `const __filename = import.meta.filename, __dirname = import.meta.dirname;`,
      ].join(""),
    },
    inject: [path.join(platform, "src/shim/run.js")],
    nodePaths: [path.join(platform, "node_modules")],
    external: ["@pulumi/*", "@pulumiverse/*", "@aws-sdk/*", "undici", "esbuild", "archiver", "glob", "vite"],
    mainFields: ["module", "main"],
    format: "esm",
    platform: "node",
    sourcemap: "inline",
    bundle: true,
    outfile,
    logLevel: "silent",
    absWorkingDir: root,
  });
  return import(pathToFileURL(outfile).href);
}

/**
 * Gives every file of the project `aws` and `sst`, as imports like the CLI does, so that a file which declares one of them
 * fails here as it would fail to deploy. The CLI puts them first; at the end, the lines before keep their numbers.
 */
function globals(platform: string): Plugin {
  const imports = `/* in every file, by SST: */ import * as aws from "@pulumi/aws"; import * as sst from "${platform}/src/components/index.ts";`;
  return {
    name: "globals",
    setup: ({ onLoad }) =>
      onLoad({ filter: /\.[jt]sx?$/ }, async ({ path: file }) =>
        file.includes("/.sst/")
          ? undefined
          : { contents: `${await readFile(file, "utf8")}\n${imports}`, loader: "default" },
      ),
  };
}
