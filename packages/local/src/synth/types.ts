import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { VisibleError } from "./visible-error.ts";

/**
 * Holds `infra/` against SST's own types, about 2 s: a setting that SST does not know is one that it silently leaves out.
 * Throws a `VisibleError` with the compiler's words and lines.
 */
export async function checkTypes(root: string): Promise<void> {
  const tsc = path.join(root, "node_modules/.bin/tsc");
  await promisify(execFile)(tsc, ["-p", "infra", "--pretty", "false"], { cwd: root }).catch(({ code, stdout }) => {
    throw new VisibleError(stdout.trim() || `The types of infra/ could not be checked (tsc: ${code}).`);
  });
}
