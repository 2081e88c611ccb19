/** How one `pattern` of a JSON Schema reads. */
export type Pattern =
  /** `expression` is for JavaScript's flag u; null when only another dialect of regular expressions knows what it says. */
  | { ok: true; expression: string | null; hasLookaround: boolean }
  /** No dialect takes it. */
  | { ok: false; reason: string };

export const patternMend = 'write a regular expression, such as "^[0-9]{3}-[0-9]{4}$"';

/**
 * Reads a pattern as OpenAI takes it. Its dialect is not JavaScript's: `\@` and `[\w-.]` are fine there, and errors under the flag u. What
 * means the same is rewritten. What only other dialects have (possessive quantifiers, `\Q`) has no expression here: it is
 * neither refused nor judged, since an answer that was paid for must not fail by a guess.
 */
export function readPattern(pattern: string): Pattern {
  const { expression, hasLookaround, isForeign } = rewrite(pattern);
  if (reasonAgainst(pattern) === null) return { ok: true, expression: pattern, hasLookaround };
  if (isForeign) return { ok: true, expression: null, hasLookaround };
  const reason = reasonAgainst(expression);
  return reason === null ? { ok: true, expression, hasLookaround } : { ok: false, reason };
}

/** Why this is no regular expression under the flag u; null when it is one. */
function reasonAgainst(expression: string): string | null {
  try {
    new RegExp(expression, "u");
    return null;
  } catch (error) {
    // V8 repeats the whole pattern before the reason.
    return error instanceof Error ? error.message.slice(error.message.lastIndexOf(": ") + 1).trim() : "";
  }
}

/** Escapes that other dialects have and JavaScript writes otherwise. */
const spellings: ReadonlyMap<string, { outside: string; inClass: string }> = new Map([
  ["A", { outside: "^", inClass: "A" }],
  ["z", { outside: "$", inClass: "z" }],
  ["Z", { outside: "$", inClass: "Z" }],
  ["h", { outside: "[ \\t]", inClass: " \\t" }],
  ["a", { outside: "\\x07", inClass: "\\x07" }],
  ["e", { outside: "\\x1b", inClass: "\\x1b" }],
]);

/** POSIX's classes, which stand inside of a class: `[[:alpha:]_]`. */
const posixClasses: ReadonlyMap<string, string> = new Map([
  ["alnum", "a-zA-Z0-9"],
  ["alpha", "a-zA-Z"],
  ["blank", " \\t"],
  ["digit", "0-9"],
  ["lower", "a-z"],
  ["space", "\\s"],
  ["upper", "A-Z"],
  ["word", "\\w"],
  ["xdigit", "0-9A-Fa-f"],
]);

/** Each matches at its place alone, and looks only so far ahead: the pattern is the caller's. */
const token = {
  classEscape: /\\(?:[dDwWsS]|[pP](?:\{[^}]{0,100}\}|[A-Za-z]))/y,
  property: /\\([pP])(?:\{([^}]{0,100})\}|([A-Za-z]))/y,
  codePoint: /\\(?:x\{([0-9A-Fa-f]{1,6})\}|U([0-9A-Fa-f]{8}))/y,
  ownEscape:
    /\\(?:[dDwWsSbBtnvfr0](?!\d)|c[A-Za-z]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]+\}|k<[^>]{0,100}>|[1-9]\d*)/y,
  quantifier: /(?:[*+?]|\{\d+(?:,\d*)?\})/y,
  posixClass: /\[:(\w+):\]/y,
  comment: /\(\?#[^)]{0,1000}\)/y,
  lookaround: /\(\?(?:<?[=!])/y,
  group: /\((?:\?:|\?<[A-Za-z_$][\w$]*>|\?[ims]*(?:-[ims]+)?:|(?!\?))/y,
  namedGroup: /\(\?P<([A-Za-z_]\w*)>/y,
  namedReference: /\(\?P=([A-Za-z_]\w*)\)/y,
  flags: /\(\?([ims]+)\)/y,
};

/** Walks through a pattern once, and writes each construct as JavaScript has it. */
function rewrite(pattern: string) {
  let at = 0;
  let written = "";
  let close = "";
  let isForeign = false;
  let hasLookaround = false;

  const take = (expected: RegExp): RegExpExecArray | null => {
    expected.lastIndex = at;
    const found = expected.exec(pattern);
    if (found) at += found[0].length;
    return found;
  };
  const peek = (expected: RegExp): boolean => {
    expected.lastIndex = at;
    return expected.test(pattern);
  };
  /** Keeps one character of something that JavaScript has not. */
  const foreign = (): string => {
    isForeign = true;
    return pattern[at++] ?? "";
  };

  function escaped(inClass: boolean): string {
    const property = take(token.property);
    if (property) return propertyOf(property);
    const codePoint = take(token.codePoint);
    if (codePoint) return `\\u{${codePoint[1] ?? codePoint[2]}}`;
    const own = take(token.ownEscape);
    if (own) return own[0];
    const character = String.fromCodePoint(pattern.codePointAt(at + 1) ?? 0);
    // An escape of nothing: no dialect takes it.
    if (at + 1 >= pattern.length) return pattern[at++] ?? "";
    const spelling = spellings.get(character);
    if (spelling) {
      at += 2;
      return inClass ? spelling.inClass : spelling.outside;
    }
    // In some dialects `\<` is the start of a word.
    if (/[A-Za-z0-9<>]/.test(character)) return foreign();
    at += 1 + character.length;
    if (/[\^$\\.*+?()[\]{}|/]/.test(character)) return `\\${character}`;
    // By its number, it means nothing but itself wherever it stands.
    return character < "\x80" ? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}` : character;
  }

  function propertyOf([whole, letter, name, short]: RegExpExecArray): string {
    if (short !== undefined) return `\\${letter}{${short}}`;
    const known = [whole, `\\${letter}{Script=${name}}`].find((text) => reasonAgainst(text) === null);
    if (known === undefined) isForeign = true;
    return known ?? whole;
  }

  function characterClass(): string {
    let text = "[";
    at += 1;
    if (pattern[at] === "^") {
      text += "^";
      at += 1;
    }
    // JavaScript has an empty class; elsewhere the bracket stands for itself.
    if (pattern[at] === "]") text += foreign();
    let afterClassEscape = false;
    while (at < pattern.length && pattern[at] !== "]") {
      const isClassEscape = peek(token.classEscape);
      const posix = take(token.posixClass);
      if (posix) {
        const letters = posixClasses.get(posix[1] ?? "");
        if (letters === undefined) isForeign = true;
        text += letters ?? posix[0];
      } else if (pattern[at] === "\\") text += escaped(true);
      else if (pattern[at] === "-" && isLoneHyphen(afterClassEscape || posix !== null)) {
        text += "\\-";
        at += 1;
      } else {
        // A class inside of a class.
        if (pattern[at] === "[") isForeign = true;
        text += pattern[at++];
      }
      afterClassEscape = isClassEscape || posix !== null;
    }
    if (pattern[at] === "]") text += pattern[at++];
    return text;
  }

  /** Beside `\w` and its kind, a hyphen makes no range. */
  function isLoneHyphen(afterClassEscape: boolean): boolean {
    token.classEscape.lastIndex = at + 1;
    return afterClassEscape || token.classEscape.test(pattern);
  }

  function group(): string {
    if (peek(token.lookaround)) {
      hasLookaround = true;
      return take(token.lookaround)?.[0] ?? "";
    }
    if (take(token.comment)) return "";
    const named = take(token.namedGroup);
    if (named) return `(?<${named[1]}>`;
    const reference = take(token.namedReference);
    if (reference) return `\\k<${reference[1]}>`;
    const flags = at === 0 ? take(token.flags) : null;
    if (flags) {
      close = ")";
      return `(?${flags[1]}:`;
    }
    return take(token.group)?.[0] ?? foreign();
  }

  while (at < pattern.length) {
    const quantifier = take(token.quantifier);
    if (quantifier) {
      written += quantifier[0];
      if (pattern[at] === "?") written += pattern[at++];
      // Possessive, or twice: JavaScript has neither.
      if (peek(token.quantifier)) isForeign = true;
    } else if (pattern[at] === "\\") written += escaped(false);
    else if (pattern[at] === "[") written += characterClass();
    else if (pattern[at] === "(") written += group();
    else if (pattern.startsWith("{,", at)) written += foreign();
    else if (/[{}\]]/.test(pattern[at] ?? "")) written += `\\${pattern[at++]}`;
    else written += pattern[at++];
  }
  return { expression: written + close, hasLookaround, isForeign };
}
