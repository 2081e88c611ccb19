import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { readManifest } from "../../packages/local/src/manifest.ts";
import { startStage } from "../../packages/local/src/stage.ts";

const root = resolve(import.meta.dirname, "../..");

/** Processes whose command line names a folder: the stage's JVM, its functions. */
function processesOf(dir: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(dir);
    } catch {
      return false;
    }
  });
}

test("a stage that does not start stops what had started, and what was still starting", async () => {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-start-"));
  const manifest = readManifest(root);
  // Found out long before DynamoDB is there.
  for (const spec of Object.values(manifest.functions)) spec.handler = "packages/functions/src/nothing.handler";
  await expect(startStage({ root, dir, port: 0, manifest })).rejects.toThrow("nothing");

  expect(processesOf(dir)).toEqual([]);
  rmSync(dir, { recursive: true });
});

test.each([
  ["PORT", "http", /^PORT: "http" is no port\. Give a number/],
  ["PRICES", "{", /PRICES/],
  [
    "OPENAI_BASE_URL",
    "localhost:11434/v1",
    /^OPENAI_BASE_URL: "localhost:11434\/v1" is no address\. Give one such as http/,
  ],
])("npm start does not begin with a wrong %s, and says so", async (name, value, message) => {
  const dir = join(tmpdir(), "tollgate-never-begun");
  const cli = join(root, "packages/local/src/cli.ts");
  const starting = promisify(execFile)(process.execPath, [cli, "--dir", dir], {
    env: { PATH: process.env.PATH, PORT: "0", [name]: value },
  });
  await expect(starting).rejects.toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(message) });
  expect(existsSync(dir)).toBe(false);
});
