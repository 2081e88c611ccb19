import { readFile } from "node:fs/promises";
import path from "node:path";
import { type BuildFailure, formatMessages } from "esbuild";

/** A position in the author's own files. */
interface Place {
  file: string;
  line: number;
  column: number;
}

/** Where in `infra/` an error comes from, innermost first. `trace`: the stacks of what it came out of, if they are known. */
export function placeOf(error: unknown, root: string, trace: string): Place[] {
  if (!(error instanceof Error) || isBuildFailure(error)) return [];
  const own = placesIn(error.stack ?? "", root);
  return own.length > 0 ? own : placesIn(trace, root);
}

/**
 * Puts an error of the configuration into words for its author: esbuild's own message, or the thrown one with the lines of
 * `infra/` that it comes from. Our own frames and SST's are left out.
 */
export async function describe(error: unknown, root: string, places: readonly Place[]): Promise<string> {
  if (isBuildFailure(error)) {
    const messages = await formatMessages(error.errors, { kind: "error", color: false, terminalWidth: 120 });
    return messages.join("").trim();
  }
  if (!(error instanceof Error)) return String(error);
  const [at] = places;
  if (!at) return `${error.message}\n\nSST threw this by itself, and no line of infra/ led to it.`;
  const excerpts = await Promise.all(places.map((place) => excerpt(place, root)));
  return [`${at.file}:${at.line}:${at.column}: ${error.message}`, excerpts.join("\n")].filter(Boolean).join("\n\n");
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error && "warnings" in error;
}

function placesIn(stacks: string, root: string): Place[] {
  const places = [...stacks.matchAll(/\(?(?:file:\/\/)?(\/[^():]+):(\d+):(\d+)\)?$/gm)]
    .map(([, file = "", line = "", column = ""]) => ({ file: path.relative(root, file), line: +line, column: +column }))
    .filter(({ file }) => !/^(\.\.|\.sst|node_modules|packages)\//.test(file));
  const distinct = [...new Map(places.map((place) => [`${place.file}:${place.line}`, place])).values()];
  // What sst.config.ts imports, it runs: that it is there tells nothing.
  const inner = distinct.filter(({ file }) => file !== "sst.config.ts");
  return inner.length > 0 ? inner : distinct;
}

async function excerpt({ file, line }: Place, root: string): Promise<string> {
  const lines = (await readFile(path.join(root, file), "utf8").catch(() => "")).split("\n");
  return `  ${file}:${line} │ ${lines[line - 1] ?? ""}`;
}
