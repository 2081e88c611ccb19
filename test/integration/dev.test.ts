import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Manifest, readManifest } from "../../packages/local/src/manifest.ts";
import { startGate } from "./lambda/gate.ts";

const checkout = resolve(import.meta.dirname, "../..");
/** A repository of its own, whose functions the tests edit: one for each, and a module that two of them import. */
const root = realpathSync(mkdtempSync(join(tmpdir(), "tollgate-dev-")));
const names = ["Plain", "AtRest", "InUse", "SharerA", "SharerB", "Broken", "Importer", "Renamed", "Waiting", "Ended"];

/** Answers with its text and its process; waits at a gate when it is asked to. */
const source = (text: string, imports = "") => `${imports}
  declare const process: any;
  export const handler = async ({ queryStringParameters }: any) => {
    const gate = queryStringParameters?.gate;
    if (gate) await fetch(gate);
    return { statusCode: 200, body: JSON.stringify({ text: ${text}, pid: process.pid }) };
  };
`;

/** The functions that import a module of another name than their own. */
const imports: Record<string, string> = { SharerA: "shared", SharerB: "shared", AtRest: "common", InUse: "common" };
const importing = (module: string) => source("text", `import { text } from "./${module}.ts";`);
const fileOf = (name: string) => `functions/${name}.ts`;

function write(file: string, content: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), content);
}

/** The deployment of these functions alone, each with a route of its own and without a key. */
function manifest(): Manifest {
  const real = readManifest(checkout);
  const [spec] = Object.values(real.functions);
  if (!spec) throw new Error("infra/manifest.json declares no function");
  const build = { minify: true, splitting: true, keepNames: false };
  const plain = { ...spec, environment: {}, links: {}, policy: [], build };
  const route = { method: "GET", streaming: false, integrationTimeoutMs: 29_000, authorized: false };
  return {
    ...real,
    functions: Object.fromEntries(names.map((name) => [name, { ...plain, handler: `functions/${name}.handler` }])),
    api: {
      ...real.api,
      authorizer: null,
      routes: names.map((name) => ({ ...route, path: `/${name}`, function: name })),
    },
    buckets: Object.fromEntries(
      Object.entries(real.buckets).map(([name, bucket]) => [name, { ...bucket, notifications: [] }]),
    ),
    eventSourceMappings: [],
    schedules: {},
  };
}

function createRepository(): void {
  cpSync(join(checkout, "packages"), join(root, "packages"), {
    recursive: true,
    filter: (path) => basename(path) !== "node_modules",
  });
  // Packages are those of the checkout; the workspaces' own are the copies.
  for (const folder of [".", ...readdirSync(join(root, "packages")).map((name) => join("packages", name))]) {
    const packages = join(checkout, folder, "node_modules");
    if (!existsSync(packages)) continue;
    mkdirSync(join(root, folder, "node_modules"));
    for (const name of readdirSync(packages).filter((name) => !name.startsWith(".") && name !== "@tollgate"))
      symlinkSync(join(packages, name), join(root, folder, "node_modules", name));
  }
  mkdirSync(join(root, "node_modules/@tollgate"));
  for (const name of readdirSync(join(root, "packages")))
    symlinkSync(join(root, "packages", name), join(root, "node_modules/@tollgate", name));
  cpSync(join(checkout, "package.json"), join(root, "package.json"));
  write("infra/manifest.json", JSON.stringify(manifest()));
  write("infra/api.ts", "");
  for (const module of Object.values(imports)) write(`functions/${module}.ts`, `export const text = "old";`);
  for (const name of names) write(fileOf(name), imports[name] ? importing(imports[name]) : source(`"old"`));
}

interface Dev {
  child: ChildProcess;
  dir: string;
  api: string;
  /** What it has said so far. */
  said(): string;
}

/** The script `dev` of package.json, in the repository of these tests. */
async function startDev(dir: string): Promise<Dev> {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const [program, ...args] = scripts.dev.split(" ");
  expect(program).toBe("node");
  const child = spawn(process.execPath, [...args, "--dir", dir], {
    cwd: root,
    env: { PATH: process.env.PATH, PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (chunk) => {
    text += chunk;
  });
  const ready = once(child.stdout, "data");
  const exit = once(child, "exit").then(() => {
    throw new Error(`npm run dev ended: ${text}`);
  });
  exit.catch(() => {});
  await Promise.race([ready, exit]);
  const { api } = JSON.parse(readFileSync(join(dir, "stage.json"), "utf8"));
  return { child, dir, api, said: () => text };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, "exit");
  child.kill(signal);
  return (await ended)[0];
}

let dev: Dev;
beforeAll(async () => {
  createRepository();
  dev = await startDev(join(root, ".local"));
});
afterAll(async () => {
  await end(dev.child, "SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

async function ask(name: string, gate?: string): Promise<{ text: string; pid: number }> {
  const response = await fetch(`${dev.api}/${name}${gate ? `?gate=${encodeURIComponent(gate)}` : ""}`);
  return (await response.json()) as { text: string; pid: number };
}

const wait = { timeout: 50_000, interval: 50 };
const untilAnswered = (name: string, text: string) =>
  vi.waitFor(async () => expect(await ask(name)).toMatchObject({ text }), wait);
const untilSaid = (words: string | RegExp) => vi.waitFor(() => expect(dev.said()).toMatch(words), wait);

test("npm run dev rebuilds the function whose source changed, and no other", async () => {
  expect(await ask("Plain")).toMatchObject({ text: "old" });
  const other = await ask("Waiting");
  write(fileOf("Plain"), source(`"new"`));
  await untilAnswered("Plain", "new");

  await untilSaid(/^rebuilt Plain in \d+ ms$/m);
  expect(await ask("Waiting")).toEqual(other);
});

test("npm run dev rebuilds every function that imports a changed module", async () => {
  for (const name of ["SharerA", "SharerB"]) expect(await ask(name)).toMatchObject({ text: "old" });
  write("functions/shared.ts", `export const text = "new";`);
  await untilAnswered("SharerA", "new");
  await untilAnswered("SharerB", "new");
  await untilSaid(/^rebuilt .*SharerA.* in \d+ ms$/m);
  await untilSaid(/^rebuilt .*SharerB.* in \d+ ms$/m);
});

test("npm run dev rebuilds the functions that are in use before the others", async () => {
  expect(await ask("InUse")).toMatchObject({ text: "old" });
  write("functions/common.ts", `export const text = "new";`);
  await untilSaid(/^rebuilt InUse in \d+ ms\nrebuilt AtRest in \d+ ms$/m);
  await untilAnswered("AtRest", "new");
});

test("npm run dev names the place of an error in a source, and the old code goes on until it is mended", async () => {
  write(fileOf("Broken"), `${source(`"new"`)}\nconst unfinished = ;\n`);
  await untilSaid(
    /^Broken: the old code goes on, since\n {2}functions\/Broken\.ts:9:20: Unexpected ";"\n {4}const unfinished = ;$/m,
  );
  expect(await ask("Broken")).toMatchObject({ text: "old" });

  write(fileOf("Broken"), source(`"mended"`));
  await untilAnswered("Broken", "mended");
});

test("npm run dev takes in a module in a folder that was not there before", async () => {
  write(fileOf("Importer"), source("added", `import { added } from "./added/module.ts";`));
  await untilSaid(/functions\/Importer\.ts:1:23: Could not resolve "\.\/added\/module\.ts"/);
  expect(await ask("Importer")).toMatchObject({ text: "old" });

  write("functions/added/module.ts", `export const added = "new";`);
  await untilAnswered("Importer", "new");
});

test("npm run dev hears of each save of an editor that writes another file and renames it", async () => {
  for (const text of ["second", "third", "fourth"]) {
    write("functions/Renamed.ts.tmp", source(`"${text}"`));
    renameSync(join(root, "functions/Renamed.ts.tmp"), join(root, fileOf("Renamed")));
    await untilAnswered("Renamed", text);
  }
});

test("npm run dev lets a request that is at work end with the old code", async () => {
  const gate = await startGate();
  try {
    const begun = ask("Waiting", gate.url);
    await gate.arrived(1);
    write(fileOf("Waiting"), source(`"new"`));
    await untilAnswered("Waiting", "new");
    gate.open();
    expect(await begun).toMatchObject({ text: "old" });
  } finally {
    await gate.close();
  }
});

test("npm run dev says what to do when the deployment's own files change", async () => {
  write("infra/api.ts", "export {};");
  await untilSaid(/^infra\/api\.ts changed, .*: run npm run synth, then stop the stage and start it again$/m);
  write("infra/manifest.json", JSON.stringify(manifest(), null, 2));
  await untilSaid(/^infra\/manifest\.json changed, .*: stop the stage and start it again$/m);
});

test("npm run dev leaves no process and no rebuilt code behind after Ctrl-C", async () => {
  const dir = join(root, ".second");
  const second = await startDev(dir);
  try {
    write(fileOf("Ended"), source(`"new"`));
    await vi.waitFor(() => expect(readdirSync(join(dir, "rebuilt"))).not.toEqual([]), wait);
    const processes = () =>
      readdirSync("/proc").filter((pid) => {
        try {
          return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(dir);
        } catch {
          return false;
        }
      });
    expect(processes()).not.toEqual([]);

    expect(await end(second.child, "SIGINT")).toBe(0);
    await vi.waitFor(() => expect(processes()).toEqual([]), wait);
    expect(existsSync(join(dir, "rebuilt"))).toBe(false);
  } finally {
    await end(second.child, "SIGKILL");
  }
});
