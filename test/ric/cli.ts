import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { installRuntimeClient } from "./install.ts";

const root = resolve(import.meta.dirname, "../..");

/** Start `npm start` and `npm run demo` as they are, which run functions under the stage's own runtime client alone. */
const ELSEWHERE = ["restart.test.ts", "demo.test.ts"];

/** Where functions run: the tests of the execution environment, and those that go through the whole stage. */
const suite = [
  "test/integration/lambda",
  ...readdirSync(join(root, "test/e2e"))
    .filter((file) => file.endsWith(".test.ts") && !ELSEWHERE.includes(file))
    .map((file) => `test/e2e/${file}`),
];

/**
 * `npm run test:ric [-- files and options of vitest]`: the tests in which functions run, with Amazon's own runtime client in
 * the place of the local stage's. `npm test` runs the same files with the latter.
 */
async function main() {
  const runtimeClient = await installRuntimeClient((line) => console.error(`… ${line}`));
  const given = process.argv.slice(2);
  const files = given.some((argument) => !argument.startsWith("-")) ? [] : suite;
  const vitest = spawn("vitest", ["run", ...files, ...given], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, RUNTIME_CLIENT: runtimeClient },
  });
  const [code] = await once(vitest, "close");
  process.exitCode = code ?? 1;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
