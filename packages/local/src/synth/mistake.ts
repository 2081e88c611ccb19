import { readFile } from "node:fs/promises";
import path from "node:path";
import { type BuildFailure, formatMessages } from "esbuild";

/**
 * Puts an error of the configuration into words for its author: esbuild's own message, or the thrown one with the line of
 * `infra/` that it comes from. Our own frames and SST's are left out.
 */
export async function describe(error: unknown, root: string): Promise<string> {
  if (isBuildFailure(error)) {
    const messages = await formatMessages(error.errors, { kind: "error", color: false, terminalWidth: 120 });
    return messages.join("").trim();
  }
  if (!(error instanceof Error)) return String(error);
  const at = frames(error, root)[0];
  // Thrown while an Output resolved: infra/ had already run, and is no longer on the stack.
  if (!at)
    return `${error.stack}\n\nSST threw this by itself, so no line of infra/ is known. npm run check may name it.`;
  return [`${at.file}:${at.line}:${at.column}: ${error.message}`, await excerpt(path.join(root, at.file), at.line)]
    .filter(Boolean)
    .join("\n\n");
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error && "warnings" in error;
}

/** The stack's positions in the author's own files, innermost first. */
function frames(error: Error, root: string) {
  return [...(error.stack ?? "").matchAll(/\(?(?:file:\/\/)?(\/[^():]+):(\d+):(\d+)\)?$/gm)]
    .map(([, file = "", line = "", column = ""]) => ({ file: path.relative(root, file), line: +line, column: +column }))
    .filter(({ file }) => !/^(\.\.|\.sst|node_modules|packages)\//.test(file));
}

async function excerpt(file: string, line: number) {
  const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
  return lines[line - 1] && `  ${line} │ ${lines[line - 1]}`;
}
