import { access } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import type { FunctionSpec } from "./manifest.ts";

/** Where a function's bundle lies and what Lambda calls its handler (`packages/functions/src/chat.handler`). */
export interface Bundle {
  /** Absolute path of what Lambda unpacks as `/var/task`. */
  dir: string;
  handler: string;
}

const SOURCE_EXTENSIONS = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];

/** Gives CommonJS packages inside an ES module the variables that they expect. */
const BANNER = [
  `import { createRequire as topLevelCreateRequire } from 'module';`,
  `const require = topLevelCreateRequire(import.meta.url);`,
  `import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url"`,
  `const __filename = topLevelFileUrlToPath(import.meta.url)`,
  `const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url))`,
].join("\n");

/**
 * Bundles every function as `sst deploy` would, so that what runs locally is what would be uploaded.
 *
 * @param options.root the repository's root, from which handlers are named
 * @param options.outDir receives `<function's name>/<path of its handler>.mjs` with a source map beside it
 * @throws Error with esbuild's own messages (`file:line:column`) for every function that does not build
 */
export async function bundleFunctions(options: {
  root: string;
  outDir: string;
  functions: Record<string, Pick<FunctionSpec, "handler" | "build">>;
}): Promise<Record<string, Bundle>> {
  const names = Object.keys(options.functions);
  const built = await Promise.allSettled(
    Object.entries(options.functions).map(async ([name, { handler, build }]) =>
      bundleFunction({ root: options.root, dir: path.resolve(options.outDir, name), handler, minify: build.minify }),
    ),
  );
  const failures = built.flatMap((result, i) =>
    result.status === "rejected" ? [`${names[i]}: ${result.reason instanceof Error ? result.reason.message : ""}`] : [],
  );
  if (failures.length > 0) throw new Error(failures.join("\n"));
  return Object.fromEntries(
    built.flatMap((result, i) => (result.status === "fulfilled" ? [[names[i], result.value]] : [])),
  );
}

/** The options are SST 4.17's for a Node function (`pkg/runtime/node/build.go`); only the source map is always made. */
async function bundleFunction(options: { root: string; dir: string; handler: string; minify: boolean }) {
  const exportName = path.extname(options.handler);
  const source = await sourceFile(options.root, options.handler.slice(0, -exportName.length));
  const folder = path.dirname(options.handler);
  // Lambda splits a handler at its first dot, so the file's own name may have none.
  const fileName = path.basename(source, path.extname(source)).replaceAll(".", "-");
  await build({
    absWorkingDir: options.root,
    entryPoints: [source],
    outfile: path.join(options.dir, folder, `${fileName}.mjs`),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "esnext",
    mainFields: ["module", "main"],
    external: ["sharp", "pg-native"],
    keepNames: true,
    minify: options.minify,
    sourcemap: "linked",
    banner: { js: BANNER },
    logLevel: "silent",
  });
  return { dir: options.dir, handler: `${path.posix.join(folder, fileName)}${exportName}` };
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
