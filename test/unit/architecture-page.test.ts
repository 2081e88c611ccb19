import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = await readFile(path.join(root, "docs/architecture.md"), "utf8");

/** What stands below a heading, up to the next one. */
const sectionOf = (heading: string): string => page.split(`\n## ${heading}\n`)[1]?.split(/^## /m)[0] ?? "";

/** What the cells of one column hold as code, from the first column on. */
const codeOf = (section: string, column: number): string[] =>
  section
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .flatMap((line) => [...(line.split("|")[column + 1] ?? "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code));

/** `core/chat/chat.ts` stands for `packages/core/src/chat/chat.ts`. */
const isThere = (file: string) => existsSync(path.join(root, "packages", file.replace("/", "/src/")));

test.each(["One chat, file by file", "One S3 record, file by file"])(
  "docs/architecture.md walks %s, through at most 15 files that exist",
  (heading) => {
    const files = codeOf(sectionOf(heading), 1);
    expect(files.length).toBeGreaterThan(0);
    expect(files.length).toBeLessThanOrEqual(15);
    expect(files.filter((file) => !isThere(file))).toEqual([]);
  },
);

test("docs/architecture.md says of each folder of core what lives there", () => {
  const folders = readdirSync(path.join(root, "packages/core/src"));
  expect(codeOf(sectionOf("Core"), 0).sort()).toEqual(folders.sort());
});
