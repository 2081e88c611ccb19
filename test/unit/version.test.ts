import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { document } from "../openapi/document.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const { version } = JSON.parse(read("package.json"));

test("CHANGELOG.md begins with what is unreleased, then the version of package.json", () => {
  const versions = [...read("CHANGELOG.md").matchAll(/^## \[?([\w.]+)\]?(?: - \d{4}-\d{2}-\d{2})?$/gm)];
  expect(versions.slice(0, 2).map(([, name]) => name)).toEqual(["Unreleased", version]);
});

test("every package and the OpenAPI document have the version of package.json", () => {
  const packages = globSync("packages/*/package.json", { cwd: root });
  expect(packages.length).toBeGreaterThan(0);
  for (const file of packages) expect([file, JSON.parse(read(file)).version]).toEqual([file, version]);
  expect(document.info.version).toBe(version);
});
