import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

test("npm run demo shows a chat and four photographs as results, and what they cost", async () => {
  // Rejects unless it exits with 0, which it does only when everything that it shows is right.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(root, "packages/local/src/demo.ts")]);
  expect(stderr).toMatch(/images analysed: 4 of 4/);
  for (const file of ["astronaut.gif", "cat.png", "coffee.webp", "rocket.jpg"]) expect(stdout).toContain(file);
  expect(stdout).toContain("gpt-6-luna");
});
