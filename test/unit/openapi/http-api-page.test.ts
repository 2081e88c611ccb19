import { readFile } from "node:fs/promises";
import { AppError, isErrorCode } from "@tollgate/core/error";
import { expect, test } from "vitest";
import type { Manifest } from "../../../packages/local/src/manifest.ts";
import { operations } from "../../openapi/document.ts";

const textOf = (file: string) => readFile(new URL(`../../../${file}`, import.meta.url), "utf8");
const page = await textOf("docs/http-api.md");

/** The rows of the table below a heading, whose first cell is code: that cell, and the next one. */
function rowsBelow(heading: string): [string, string][] {
  const [, section = ""] = page.split(`${heading}\n`);
  const [own = ""] = section.split(/^#/m);
  return [...own.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].map(([, first = "", second = ""]) => [first, second]);
}

test("docs/http-api.md has every route that is deployed, and no other", async () => {
  const manifest: Manifest = JSON.parse(await textOf("infra/manifest.json"));
  const deployed = manifest.api.routes
    .filter(({ path }) => path !== "/{proxy+}")
    .map(({ method, path }) => `${method} ${path}`);
  const told = rowsBelow("# HTTP API").map(([route]) => route);
  expect(told.sort()).toEqual(deployed.sort());
});

test("docs/http-api.md has every error code that a route can answer, with its status", () => {
  const codes = [...operations.values()].flatMap(({ responses }) =>
    Object.values(responses).flatMap(
      ({ content }) => content?.["application/json"]?.schema.properties?.error?.properties?.code?.enum ?? [],
    ),
  );
  const statuses = [...new Set(codes)]
    .filter(isErrorCode)
    .map((code): [string, string] => [code, String(new AppError(code, "").status)]);
  expect(statuses.length).toBeGreaterThan(0);
  expect(rowsBelow("## Errors").sort()).toEqual(statuses.sort());
});
