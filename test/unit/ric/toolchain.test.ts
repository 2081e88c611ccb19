import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { whatIsMissing } from "../../ric/toolchain.ts";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

/** A folder of these programs. */
function folder(...programs: string[]): string {
  const dir = mkdtempSync(join(tmpdir(), "tollgate-toolchain-"));
  dirs.push(dir);
  for (const program of programs) writeFileSync(join(dir, program), "", { mode: 0o755 });
  return dir;
}

test("nothing is missing where every program is, in whatever folder and under either name", () => {
  const searchPath = [folder("cmake3", "c++", "make"), folder("cc", "python3", "tar", "xz")].join(":");
  expect(whatIsMissing(searchPath, "linux")).toBeNull();
});

test("what is missing is named, with the command that installs it", () => {
  const searchPath = folder("gcc", "make", "python3", "tar");
  expect(whatIsMissing(searchPath, "linux")).toBe(
    "Amazon's runtime client is compiled once, and there is no cmake, g++, xz here. " +
      "On Debian or Ubuntu: apt-get install cmake g++ xz-utils",
  );
});

test("a file that cannot be run is no program", () => {
  const dir = folder("g++", "gcc", "make", "python3", "tar", "xz");
  writeFileSync(join(dir, "cmake"), "", { mode: 0o644 });
  expect(whatIsMissing(dir, "linux")).toContain("there is no cmake here");
});

test("other systems are told that it compiles on Linux alone", () => {
  expect(whatIsMissing(folder(), "darwin")).toContain("on Linux alone");
});
