import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const page = read("CONTRIBUTING.md");
const code = [...page.matchAll(/`([^`\n]+)`/g)].map(([, text = ""]) => text);

test("CONTRIBUTING.md explains every npm script, and none that is gone", () => {
  const [, table = ""] = /## Scripts\n([\s\S]*?)\n## /.exec(page) ?? [];
  const explained = [...table.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([\w:-]+)`/g)].map(([, name]) => name),
  );
  const { scripts } = JSON.parse(read("package.json"));
  const own = Object.keys(scripts).filter((name) => name !== "pretest");
  expect(explained.sort()).toEqual(own.sort());
});

test("CONTRIBUTING.md names only files that are there", () => {
  const files = code.filter((text) => /^\.?[\w-]+(\/[\w.-]+)*\/?$/.test(text) && text.includes("/"));
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test("CONTRIBUTING.md links only to pages and headings that are there", () => {
  const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, target = ""]) => target);
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) {
    const [file = "", heading] = link.split("#");
    expect(existsSync(join(root, file)), link).toBe(true);
    if (!heading) continue;
    const headings = [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, text = ""]) =>
      text
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
    expect(headings).toContain(heading);
  }
});
