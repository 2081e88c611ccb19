import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
/** Its output may be a whole catalogue. */
const run = (command: string, args: readonly string[], options: { signal: AbortSignal; env?: NodeJS.ProcessEnv }) =>
  execute(command, args, { signal: options.signal, env: options.env ?? process.env, maxBuffer: 50_000_000 });

export interface Options {
  /** Where packages are kept from one run to the next. */
  cache: string;
  /** Use what the cache has, and ask no registry. */
  offline: boolean;
  signal: AbortSignal;
  tell(line: string): void;
}

/** Unless told, npm waits for over a minute when the registry cannot be reached, and below `npm run --silent` says nothing of it. */
const npmPatience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--loglevel=error"];

/** The newest version of a package of npm's, a file that is downloaded unless the cache has it. @throws Error */
export function fromNpm(name: string, options: Options): Promise<string> {
  return newest(name, /-(\d+\.\d+.*)\.tgz$/, options, async (folder, kept) => {
    options.tell(`${name}: asking npm for the newest version…`);
    const version = (await run("npm", ["view", `${name}@latest`, "version", ...npmPatience], options)).stdout.trim();
    const file = `${folderOf(name)}-${version}.tgz`;
    if (kept.includes(file)) return file;
    const pack = ["pack", `${name}@${version}`, "--ignore-scripts", "--pack-destination", folder, ...npmPatience];
    return (await run("npm", pack, options)).stdout.trim();
  });
}

/** The newest wheel of a package of PyPI's, likewise. It needs Python's pip. @throws Error */
export function fromPyPI(name: string, options: Options): Promise<string> {
  return newest(name, /^[^-]+-([^-]+)-.*\.whl$/, options, async (folder) => {
    options.tell(`${name}: asking PyPI for the newest version…`);
    const quickly = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--retries=1"];
    const download = ["-m", "pip", "download", name, "--dest", folder, ...quickly];
    const { stdout } = await run("python3", download, options);
    // "Saved ./…" or "File was already downloaded /…".
    const [file] = /\S+\.whl(?=\s*$)/m.exec(stdout.replaceAll(/^.*(?:Downloading|Using cached).*$/gm, "")) ?? [""];
    return path.basename(file);
  });
}

/** `@pydantic/genai-prices` is `pydantic-genai-prices`, as `npm pack` writes it. */
const folderOf = (name: string): string => name.replace(/^@/, "").replace("/", "-");

/**
 * Keeps the version that a registry calls the newest, and none besides; offline, the newest that was kept.
 * @param download brings the newest version into the folder, unless it is among those kept, and tells the name of its file
 */
async function newest(
  name: string,
  versionIn: RegExp,
  { cache, offline, tell }: Options,
  download: (folder: string, kept: readonly string[]) => Promise<string>,
): Promise<string> {
  const folder = path.join(cache, folderOf(name));
  await mkdir(folder, { recursive: true });
  const versionOf = (file: string) => versionIn.exec(file)?.[1] ?? "";
  const kept = (await readdir(folder))
    .filter((file) => versionOf(file) !== "")
    .sort((a, b) => versionOf(a).localeCompare(versionOf(b), "en", { numeric: true }));
  const file = offline ? kept.at(-1) : await download(folder, kept);
  if (!file) throw new Error(offline ? `no version of ${name} was downloaded before.` : `${name} did not come.`);
  for (const old of kept) if (old !== file && !offline) await rm(path.join(folder, old));
  const megabytes = ((await stat(path.join(folder, file))).size / 1e6).toFixed(1);
  tell(`${name} ${versionOf(file)}: ${kept.includes(file) ? "kept from before" : `downloaded ${megabytes} MB`}`);
  return path.join(folder, file);
}

/** One file out of a package of npm's. @throws Error */
export async function textInTarball(tarball: string, file: string, signal: AbortSignal): Promise<string> {
  return (await run("tar", ["-xOzf", tarball, `package/${file}`], { signal })).stdout;
}

/** One file out of a wheel, which is a zip. @throws Error */
export async function textInWheel(wheel: string, file: string, signal: AbortSignal): Promise<string> {
  const script = "import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))";
  return (await run("python3", ["-c", script, wheel, file], { signal })).stdout;
}

/**
 * What an expression makes of a module in a package, as JSON. It is other people's newest code, so it runs in a process of
 * its own that may read this one module, and has nothing of this one's environment. @throws Error
 */
export async function evaluated(
  tarball: string,
  module: string,
  expression: string,
  signal: AbortSignal,
): Promise<unknown> {
  const folder = await mkdtemp(`${tarball}.`);
  try {
    await run("tar", ["-xzf", tarball, "-C", folder, "package/package.json", `package/${module}`], { signal });
    const url = pathToFileURL(path.join(folder, "package", module)).href;
    const program = `const module = await import(${JSON.stringify(url)}); console.log(JSON.stringify(${expression}));`;
    const { stdout } = await run(
      process.execPath,
      ["--permission", `--allow-fs-read=${folder}`, "--input-type=module", "--eval", program],
      { signal, env: {} },
    );
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
