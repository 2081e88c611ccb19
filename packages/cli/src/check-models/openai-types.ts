import { type Catalogue, type Facts, factsOf } from "./facts.ts";

/**
 * OpenAI's own client: the models of Chat Completions in the type `ChatModel` of `resources/shared.d.ts`, and their ends in the
 * comment above it. Seen in 7.57.0 and 7.59.0. @throws Error when the file no longer has either.
 */
export function readOpenAITypes(source: string): Catalogue {
  const type = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export type ChatModel =([^;]*);/.exec(source);
  if (!type) throw new Error("resources/shared.d.ts has no type ChatModel with a comment.");
  const [, comment = "", union = ""] = type;
  const notes = comment.replace(/\s*\n\s*\*\s*/g, " ").split(" - ");
  const ends = new Map<string, string>();
  const notServed = new Set<string>();
  for (const note of notes) {
    const [day] = /(?<=Announced shutdown date:\s*)\d{4}-\d{2}-\d{2}/.exec(note) ?? [];
    for (const name of quoted(note, '"')) {
      if (day) ends.set(name, day);
      else if (/Not a supported model ID/.test(note)) notServed.add(name);
    }
  }
  const names = quoted(union, "'");
  if (names.length === 0 || ends.size === 0)
    throw new Error("ChatModel in resources/shared.d.ts names no model or no end.");
  return {
    name: "openai",
    models: new Map(
      names
        .filter((name) => !notServed.has(name))
        .map((name): [string, Facts] => [name, factsOf([["ends", ends.get(name) ?? null]])]),
    ),
  };
}

const quoted = (text: string, mark: string): string[] =>
  [...text.matchAll(new RegExp(`${mark}([^${mark}]+)${mark}`, "g"))].map(([, name = ""]) => name);
