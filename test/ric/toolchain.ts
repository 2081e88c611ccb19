import { accessSync, constants } from "node:fs";
import path from "node:path";

/** What `aws-lambda-ric` is compiled with: programs, any of which will do, and the Debian package that has them. */
const TOOLS: [programs: string[], debianPackage: string][] = [
  [["cmake", "cmake3"], "cmake"],
  [["g++", "c++"], "g++"],
  [["gcc", "cc"], "gcc"],
  [["make"], "make"],
  [["python3"], "python3"],
  [["tar"], "tar"],
  [["xz"], "xz-utils"],
];

/**
 * Says what is missing to compile Amazon's runtime client and how to get it; null when nothing is.
 *
 * @param searchPath `PATH`
 * @param platform `process.platform`: its own C++ library is for Linux alone
 */
export function whatIsMissing(searchPath: string, platform: string): string | null {
  if (platform !== "linux")
    return "Amazon's runtime client compiles on Linux alone: run this in a container, or leave it to CI.";
  const folders = searchPath.split(path.delimiter);
  const missing = TOOLS.filter(
    ([programs]) => !programs.some((program) => folders.some((dir) => isExecutable(dir, program))),
  );
  if (missing.length === 0) return null;
  const names = missing.map(([[program]]) => program).join(", ");
  const packages = missing.map(([, debianPackage]) => debianPackage).join(" ");
  return `Amazon's runtime client is compiled once, and there is no ${names} here. On Debian or Ubuntu: apt-get install ${packages}`;
}

function isExecutable(dir: string, program: string): boolean {
  try {
    accessSync(path.join(dir, program), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
