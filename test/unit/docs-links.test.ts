import { existsSync, globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const textOf = (file: string) => readFile(path.join(root, file), "utf8");
const pages = globSync("{*.md,docs/**/*.md}", { cwd: root }).sort();

/** As GitHub makes it: punctuation goes, and each space becomes a hyphen. Source: index.js of github-slugger, read 2026-11-28. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");

/** The anchors of a page's headings. GitHub numbers those that repeat: `ask`, `ask-1`. */
function anchorsOf(page: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutFences(page).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = ""]) => {
    const anchor = anchorOf(heading);
    const repeats = seen.get(anchor) ?? 0;
    seen.set(anchor, repeats + 1);
    return repeats === 0 ? anchor : `${anchor}-${repeats}`;
  });
}

const withoutFences = (page: string) => page.replace(/^( *)```[\s\S]*?^\1```$/gm, "");
const withoutCode = (page: string) => withoutFences(page).replace(/`[^`\n]*`/g, "");
const linksOf = (page: string) =>
  [...withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((it) => !/^\w+:/.test(it));

/** The file that the worked example of docs/structured-outputs.md has its reader write. */
const toBeWritten = ["packages/core/src/schemas/support-ticket.ts"];

/** What is wrong with a link of a page: null when its file and its anchor are there. */
async function problemOf(page: string, link: string): Promise<string | null> {
  const [target = "", anchor] = link.split("#");
  const file = target === "" ? page : path.join(path.dirname(page), target);
  if (!existsSync(path.join(root, file))) return `${page} links to ${link}: there is no ${file}`;
  if (anchor === undefined || anchorsOf(await textOf(file)).includes(anchor)) return null;
  return `${page} links to ${link}: ${file} has no heading of that name`;
}

describe("the pages of the root and of docs/", () => {
  test.each(pages)("%s has only links to files and headings that exist", async (page) => {
    const problems = await Promise.all(linksOf(await textOf(page)).map((link) => problemOf(page, link)));
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
  });

  test.each(pages)("%s names only files of the repository that exist", async (page) => {
    const named = [
      ...withoutFences(await textOf(page)).matchAll(/`((?:packages|infra|test|bench|docs)\/[\w./-]+\.\w+)`/g),
    ];
    const missing = named.map(([, file = ""]) => file).filter((file) => !toBeWritten.includes(file));
    expect(missing.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });

  test("docs/README.md lists every page and every file of docs/ once", async () => {
    const listed = linksOf(await textOf("docs/README.md")).sort();
    const there = globSync("docs/**/*.*", { cwd: root }).map((file) => path.relative("docs", file));
    expect(listed).toEqual(there.filter((file) => file !== "README.md").sort());
  });

  test("code and tests name only pages that exist", async () => {
    const sources = globSync("{packages,infra,test,bench,.ci}/**/*", { cwd: root, exclude: ["**/node_modules/**"] });
    const missing: string[] = [];
    for (const file of sources.filter((file) => /(\.ts|\/run)$/.test(file)))
      for (const [name] of (await textOf(file)).matchAll(/(?<![\w/.-])docs\/[\w-]+\.(?:md|yaml)/g))
        if (!existsSync(path.join(root, name))) missing.push(`${file}: ${name}`);
    expect(missing).toEqual([]);
  });
});

describe("README.md", () => {
  test("fits on two screens", async () => {
    expect((await textOf("README.md")).split("\n").length).toBeLessThanOrEqual(120);
  });
});
