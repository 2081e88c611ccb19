import { access, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { type BuildSettings, type BuiltFiles, createBuild, type FinishedBuild } from "./build-cache.ts";
import type { FunctionSpec } from "./manifest.ts";

/** Where a function's bundle lies and what Lambda calls its handler (`bundle.handler`). */
export interface Bundle {
  /** Absolute path of what Lambda unpacks as `/var/task`. */
  dir: string;
  handler: string;
}

/** A bundle, and what tells whether its sources are still the ones that it was built from. */
export type BuiltFunction = Bundle & Pick<FinishedBuild, "inputs" | "digest">;

const SOURCE_EXTENSIONS = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];

/** Gives CommonJS packages inside an ES module the variables that they expect. Its last line is for a banner of one's own. */
const BANNER = [
  `import { createRequire as topLevelCreateRequire } from 'module';`,
  `const require = topLevelCreateRequire(import.meta.url);`,
  `import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url"`,
  `const __filename = topLevelFileUrlToPath(import.meta.url)`,
  `const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url))`,
  "",
].join("\n");

/**
 * Bundles every function as `sst deploy` would, so that what runs locally is what would be uploaded. Builds only
 * what has changed since an earlier start.
 *
 * @param options.root the repository's root, from which handlers are named
 * @param options.outDir receives `<function's name>/bundle.mjs` with a source map beside it, and the pieces of a split one
 * @throws Error with esbuild's own messages (`file:line:column`) for every function that does not build
 */
export async function bundleFunctions(options: {
  root: string;
  outDir: string;
  functions: Record<string, Pick<FunctionSpec, "handler" | "build">>;
}): Promise<Record<string, BuiltFunction>> {
  const entries = await Promise.all(
    Object.entries(options.functions).map(async ([name, { handler, build }]) => {
      const exportName = path.extname(handler);
      const source = await sourceFile(options.root, handler.slice(0, -exportName.length));
      const bundle: Bundle = { dir: path.resolve(options.outDir, name), handler: `bundle${exportName}` };
      return { name, entryPoint: { in: source, out: path.join(name, "bundle") }, build, bundle };
    }),
  );
  const { root, outDir } = options;
  const run = createBuild(root);
  const built: Record<string, BuiltFunction> = {};
  // One run for all that are alike reads what they share once: with a run for each, it takes four times as long.
  const whole = entries.filter(({ build }) => !build.splitting);
  for (const alike of Map.groupBy(whole, ({ build }) => JSON.stringify(build)).values()) {
    const [{ build }] = alike as [(typeof entries)[number]];
    const entryPoints = alike.map(({ entryPoint }) => entryPoint);
    const { files, inputs, digest } = await run(settings({ entryPoints, ...build }));
    await write(path.resolve(outDir), files);
    for (const { name, bundle } of alike) built[name] = { ...bundle, inputs, digest };
  }
  // One run for all would also split what functions have in common, into pieces outside of their folders. One after the other,
  // since side by side they take more than a gigabyte.
  for (const { name, entryPoint, build, bundle: own } of entries.filter(({ build }) => build.splitting)) {
    const entryPoints = [{ ...entryPoint, out: "bundle" }];
    const { files, inputs, digest } = await run(settings({ entryPoints, ...build }));
    await write(own.dir, files);
    built[name] = { ...own, inputs, digest };
  }
  for (const { build, bundle: own } of entries) await link(root, own.dir, build.install ?? []);
  return built;
}

/**
 * What SST 4.17.1 has its bundler do for a function of `nodejs24.x`: with the same esbuild, bundles come out the same to the
 * byte. The map is always made, for this machine alone: `infra/` has SST make none.
 * Source: `pkg/runtime/node/build.go` of github.com/anomalyco/sst, tag v4.17.0, read in November 2026.
 */
const settings = (options: FunctionSpec["build"] & Pick<BuildSettings, "entryPoints">): BuildSettings => ({
  entryPoints: options.entryPoints,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "es2024",
  mainFields: ["module", "main"],
  external: ["sharp", "pg-native", ...(options.external ?? [])],
  keepNames: options.keepNames,
  minify: options.minify,
  splitting: options.splitting,
  sourcemap: "linked",
  banner: { js: BANNER },
  logLevel: "silent",
});

async function write(dir: string, files: BuiltFiles): Promise<void> {
  for (const [name, content] of files) {
    const file = path.join(dir, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

/** Packages beside a bundle: those of this machine, where npm would install them for Lambda's system and processor. */
async function link(root: string, dir: string, packages: string[]): Promise<void> {
  await rm(path.join(dir, "node_modules"), { recursive: true, force: true });
  for (const name of packages) {
    const link = path.join(dir, "node_modules", name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(root, "node_modules", name), link);
  }
}

async function sourceFile(root: string, withoutExtension: string): Promise<string> {
  for (const extension of SOURCE_EXTENSIONS) {
    const file = path.resolve(root, withoutExtension + extension);
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) return file;
  }
  throw new Error(`no file ${withoutExtension}{${SOURCE_EXTENSIONS.join(",")}} in ${root}`);
}
