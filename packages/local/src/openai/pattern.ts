import { matches, regexOf } from "./regex.ts";
import { hashOf } from "./token.ts";

/** More repetitions than a pattern asks for are never written; `{2,}` gives two. */
interface Parser {
  source: string;
  at: number;
  /** How many items may still be read: `(((a{99}){99}){99}){99}` would never end. */
  left: number;
}

const MAX_ITEMS = 20_000;

/**
 * A text that matches a plain regular expression (literals, classes, groups, alternatives, quantifiers, anchors), or
 * null for one that needs more: the caller cannot then promise a match. `choice` picks among equals.
 */
export function textMatching(pattern: string, choice: number): string | null {
  try {
    const parser = { source: pattern, at: 0, left: MAX_ITEMS };
    const text = alternatives(parser, choice);
    const regex = regexOf(pattern);
    return regex && parser.at === pattern.length && matches(regex, text) ? text : null;
  } catch {
    return null;
  }
}

/** `natural` where it matches, else a text made for the pattern; `natural` again for a pattern that needs more. */
export function textFitting(pattern: string, natural: string): string {
  const regex = regexOf(pattern);
  if (!regex || matches(regex, natural)) return natural;
  return textMatching(pattern, hashOf(natural)) ?? natural;
}

function alternatives(parser: Parser, choice: number): string {
  const branches = [sequence(parser, choice)];
  while (parser.source[parser.at] === "|") {
    parser.at += 1;
    branches.push(sequence(parser, choice));
  }
  return branches[choice % branches.length] ?? "";
}

function sequence(parser: Parser, choice: number): string {
  let text = "";
  for (
    let position = choice;
    parser.at < parser.source.length && !/[|)]/.test(parser.source[parser.at] ?? "");
    position++
  ) {
    // The item is read again for every repetition, so that `\d{3}` need not be one digit three times.
    const start = parser.at;
    const once = item(parser, position);
    const times = repetitions(parser);
    const end = parser.at;
    if (times > 0) text += once;
    for (let again = 1; again < times; again++) {
      parser.at = start;
      text += item(parser, position + again);
    }
    parser.at = end;
  }
  return text;
}

/** The least count that a quantifier allows, but one for `*` so that the text is seldom empty. */
function repetitions(parser: Parser): number {
  const quantifier = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(parser.source.slice(parser.at));
  if (!quantifier) return 1;
  parser.at += quantifier[0].length;
  return quantifier[1] === undefined ? 1 : Number(quantifier[1]);
}

function item(parser: Parser, choice: number): string {
  parser.left -= 1;
  if (parser.left < 0) throw new RangeError("the pattern asks for too long a text");
  const character = parser.source[parser.at++] ?? "";
  if (character === "^" || character === "$") return "";
  if (character === "(") return group(parser, choice);
  if (character === "[") return oneOf(characterClass(parser), choice);
  if (character === "\\") return oneOf(escaped(parser.source[parser.at++] ?? ""), choice);
  return character === "." ? oneOf(LETTERS, choice) : character;
}

function group(parser: Parser, choice: number): string {
  const opening = /^\?(?::|<[A-Za-z]\w*>)/.exec(parser.source.slice(parser.at));
  if (!opening && parser.source[parser.at] === "?") throw new Error("lookaround");
  parser.at += opening?.[0].length ?? 0;
  const text = alternatives(parser, choice);
  if (parser.source[parser.at++] !== ")") throw new Error("unclosed group");
  return text;
}

const MAX_CLASS = 1000;
const DIGITS = "0123456789";
const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const PRINTABLE = `${LETTERS}${LETTERS.toUpperCase()}${DIGITS} _-.,:;/@#+!`;

/** The characters that an escape stands for. */
function escaped(letter: string): string {
  if (letter === "d") return DIGITS;
  if (letter === "w") return LETTERS;
  if (letter === "s") return " ";
  if (letter === "b") return "";
  if (/[A-Za-z0-9]/.test(letter)) throw new Error("unknown escape");
  return letter;
}

function characterClass(parser: Parser): string {
  const negated = parser.source[parser.at] === "^";
  if (negated) parser.at += 1;
  let members = "";
  while (parser.source[parser.at] !== "]") {
    const first = parser.source[parser.at++];
    if (first === undefined) throw new Error("unclosed class");
    const last = parser.source[parser.at + 1];
    if (first === "\\") members += escaped(parser.source[parser.at++] ?? "");
    else if (parser.source[parser.at] === "-" && last !== undefined && last !== "]") {
      members += between(first, last);
      parser.at += 2;
    } else members += first;
  }
  parser.at += 1;
  return negated ? [...PRINTABLE].filter((character) => !members.includes(character)).join("") : members;
}

function between(first: string, last: string): string {
  if (last.charCodeAt(0) - first.charCodeAt(0) > MAX_CLASS) throw new RangeError("the class is too large");
  let text = "";
  for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code++) text += String.fromCharCode(code);
  return text;
}

function oneOf(characters: string, choice: number): string {
  return characters[choice % characters.length] ?? "";
}
