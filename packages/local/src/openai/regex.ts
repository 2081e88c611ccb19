import { createContext, Script } from "node:vm";

/** The one character that a backslash makes of itself, where JavaScript's `u` flag refuses that: `\\@`, `\\-`, `\\:`. */
const NEEDLESS_ESCAPE = /\\([\s\S])/g;
const NEEDS_NO_ESCAPE = /[!"#%&',\-:;<=>@_`~ ]/;

/** How long a match may take: a pattern such as `(a+)+$` would otherwise hold the whole stage up. */
const MATCH_TIMEOUT_MS = 100;

/** A pattern as JavaScript reads it, or null for one that it cannot read. */
export function regexOf(pattern: string): RegExp | null {
  const plain = pattern.replace(NEEDLESS_ESCAPE, (whole: string, character: string) =>
    NEEDS_NO_ESCAPE.test(character) ? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}` : whole,
  );
  try {
    return new RegExp(plain, "u");
  } catch {
    return null;
  }
}

/** Whether it looks around: OpenAI refuses such a pattern (pydantic/pydantic-ai#5508). */
export function looksAround(pattern: string): boolean {
  const tokens = pattern.match(/\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\(\?<?[=!]/g) ?? [];
  return tokens.some((token) => token.startsWith("(?"));
}

/** Patterns that cannot backtrack for long: no group is repeated, and at most one quantifier is open-ended. */
function isQuick(pattern: string): boolean {
  const plain = pattern.replace(/\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]/g, "x");
  return !/\)[*+?{]/.test(plain) && (plain.match(/[*+]|\{\d+,\}/g)?.length ?? 0) <= 1;
}

const sandbox = createContext(Object.create(null));
const match = new Script("regex.test(text)");

/** Whether a text matches; false, too, for a match that takes too long to tell. */
export function matches(regex: RegExp, text: string): boolean {
  if (isQuick(regex.source)) return regex.test(text);
  Object.assign(sandbox, { regex, text });
  try {
    return match.runInContext(sandbox, { timeout: MATCH_TIMEOUT_MS }) === true;
  } catch {
    return false;
  }
}
