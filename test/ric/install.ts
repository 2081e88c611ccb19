import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { whatIsMissing } from "./toolchain.ts";

const dir = import.meta.dirname;
const installed = path.join(dir, "node_modules/aws-lambda-ric");
const wanted: string = JSON.parse(readFileSync(path.join(dir, "package.json"), "utf8")).dependencies["aws-lambda-ric"];

/** Lines of the build that tell where it is. */
const STEP = /^(Extracting .*|Building .*|Postinstall complete)\.{0,3}$/;

/**
 * Installs Amazon's runtime client beside this file, unless it is there. Returns the path of its script.
 *
 * @throws Error that says what to install, or shows the end of the build
 */
export async function installRuntimeClient(tell: (line: string) => void): Promise<string> {
  const script = path.join(installed, "index.mjs");
  if (installedVersion() === wanted) return script;
  const missing = whatIsMissing(process.env.PATH ?? "", process.platform);
  if (missing !== null) throw new Error(missing);
  tell(`compiling aws-lambda-ric ${wanted}, once, in about a minute`);
  const log = path.join(dir, "install.log");
  const output = createWriteStream(log);
  const npm = spawn("npm", ["ci", "--foreground-scripts"], { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
  const last: string[] = [];
  for (const stream of [npm.stdout, npm.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      output.write(`${line}\n`);
      last.push(line);
      if (last.length > 30) last.shift();
      if (STEP.test(line)) tell(line);
    });
  const [code] = await once(npm, "close");
  output.end();
  if (installedVersion() !== wanted) {
    throw new Error(
      `${last.join("\n")}\naws-lambda-ric did not compile (npm ci ended with ${code}). The whole log: ${log}`,
    );
  }
  return script;
}

/** Null when it is not there whole: the last thing that the build puts there is its native part. */
function installedVersion(): string | null {
  const manifest = path.join(installed, "package.json");
  if (!existsSync(manifest) || !existsSync(path.join(installed, "rapid-client.node"))) return null;
  return JSON.parse(readFileSync(manifest, "utf8")).version;
}
