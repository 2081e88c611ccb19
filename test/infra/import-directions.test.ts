import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { root } from "./stage.ts";

/** `core ← functions ← local ← test`: what each part may import besides itself. infra/, which SST evaluates, asks core of a setting. */
const mayImport: Record<string, string[]> = {
  "packages/cli": ["packages/core", "packages/local"],
  "packages/core": [],
  "packages/functions": ["packages/core"],
  "packages/local": ["packages/core", "packages/functions"],
  infra: ["packages/core"],
};

/** Core's folders from the bottom up: each may import what stands before it. Beside them lies error.ts, which imports nothing. */
const layers = [
  ...["json", "validation"],
  ...["model", "image"],
  ...["dynamodb", "s3", "openai"],
  ...["structured", "schemas"],
  ...["usage", "budget", "key", "result"],
  "completion",
  ...["chat", "openai-compatible", "vision", "upload", "deferred", "audit"],
];

const files = globSync("{packages/*/src,infra}/**/*.ts", { cwd: root });

async function importsOf(file: string) {
  const source = await readFile(path.join(root, file), "utf8");
  return [...source.matchAll(/(?:\bfrom|\bimport\(?)\s*"([^"]+)"/g)].map(([, specifier = ""]) => specifier);
}

const partOf = (file: string) => Object.keys(mayImport).find((part) => file.startsWith(`${part}/`));

function partImported(specifier: string, importer: string) {
  if (specifier.startsWith("@tollgate/")) return `packages/${specifier.split("/")[1]}`;
  return specifier.startsWith(".") ? partOf(path.join(path.dirname(importer), specifier)) : undefined;
}

test("parts import in one direction", async () => {
  const wrong: string[] = [];
  for (const file of files) {
    const own = partOf(file);
    for (const specifier of await importsOf(file)) {
      const part = partImported(specifier, file);
      if (own && part && part !== own && !mayImport[own]?.includes(part)) wrong.push(`${file} imports ${specifier}`);
    }
  }
  expect(files.length).toBeGreaterThan(0);
  expect(wrong).toEqual([]);
});

test("core's folders import downwards only", async () => {
  const core = "packages/core/src/";
  const folderOf = (file: string) => path.dirname(file.slice(core.length));
  const wrong: string[] = [];
  for (const file of files.filter((file) => file.startsWith(core))) {
    const own = folderOf(file);
    for (const specifier of (await importsOf(file)).filter((specifier) => specifier.startsWith("."))) {
      const imported = folderOf(path.join(path.dirname(file), specifier));
      const isBelow = layers.indexOf(imported) < layers.indexOf(own) && layers.includes(imported);
      const isError = imported === "." && specifier.endsWith("/error.ts");
      if (imported !== own && !isBelow && !isError) wrong.push(`${file} imports ${specifier}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(new Set(files.filter((file) => file.startsWith(core)).map(folderOf))).toEqual(new Set([".", ...layers]));
});

test("only the composition root knows of sst", async () => {
  const importers: string[] = [];
  for (const file of files)
    if ((await importsOf(file)).some((specifier) => specifier === "sst" || specifier.startsWith("sst/")))
      importers.push(file);

  expect(importers.sort()).toEqual(["packages/cli/src/stage.ts", "packages/functions/src/runtime/config.ts"]);
});
