import { isRounded } from "./exact.ts";

/** Where a member of an object stands in a text. */
export interface Member {
  name: string;
  /** Of its name's first quote. */
  start: number;
  valueStart: number;
  /** After its value. */
  end: number;
}

/** What parsing a JSON text would lose. */
export interface Survey {
  /** Those of the text's own object, in its order; none when the text is no object. */
  members: Member[];
  /** Members that another of the same name in the same object follows: `JSON.parse` knows the last alone. Each to where the next begins. */
  shadowed: { start: number; end: number }[];
  /** A number is one that JavaScript rounds. */
  hasRounded: boolean;
  /** An object's names are in another order once they are JavaScript's, which sorts those that look like whole numbers. */
  hasSorted: boolean;
}

const [quote, backslash, comma, openBrace, closeBrace, openBracket, closeBracket] = [...'"\\,{}[]'].map((sign) =>
  sign.charCodeAt(0),
);

/**
 * Walks once through a text that `JSON.parse` takes. Texts in it are stepped over, so that an image in base64 costs next to
 * nothing. It recurses: a request nests 100 levels at most (request.ts).
 */
export function survey(text: string): Survey {
  const found: Survey = { members: [], shadowed: [], hasRounded: false, hasSorted: false };

  // Each takes the place where something begins, and returns the place behind it.
  const spaceAt = (at: number): number => {
    let end = at;
    while (text.charCodeAt(end) <= 32) end += 1;
    return end;
  };
  const stringAt = (at: number): number => {
    let end = text.indexOf('"', at + 1);
    while (text.charCodeAt(end - 1) === backslash && isEscaped(text, end)) end = text.indexOf('"', end + 1);
    return end + 1;
  };
  const valueAt = (at: number): number => {
    const sign = text.charCodeAt(at);
    if (sign === quote) return stringAt(at);
    if (sign === openBrace) return objectAt(at, []);
    return sign === openBracket ? listAt(at) : plainAt(at, sign);
  };
  const plainAt = (at: number, sign: number): number => {
    let end = at;
    while (end < text.length && !isEnd(text.charCodeAt(end))) end += 1;
    // A digit or a minus. What is short is exact.
    if (sign < 58 && end - at > 2 && isRounded(text.slice(at, end))) found.hasRounded = true;
    return end;
  };
  const listAt = (at: number): number => {
    let end = spaceAt(at + 1);
    while (text.charCodeAt(end) !== closeBracket) {
      end = spaceAt(valueAt(end));
      if (text.charCodeAt(end) === comma) end = spaceAt(end + 1);
    }
    return end + 1;
  };
  const objectAt = (at: number, members: Member[]): number => {
    let end = spaceAt(at + 1);
    while (text.charCodeAt(end) !== closeBrace) {
      const member = memberAt(end);
      members.push(member);
      end = spaceAt(member.end);
      if (text.charCodeAt(end) === comma) end = spaceAt(end + 1);
    }
    if (members.length > 1) compare(members);
    return end + 1;
  };
  const memberAt = (start: number): Member => {
    const nameEnd = stringAt(start);
    const bare = text.slice(start + 1, nameEnd - 1);
    const name = bare.includes("\\") ? JSON.parse(`"${bare}"`) : bare;
    const valueStart = spaceAt(spaceAt(nameEnd) + 1);
    return { name, start, valueStart, end: valueAt(valueStart) };
  };
  const compare = (members: Member[]): void => {
    if (hasTwins(members)) {
      const last = new Map(members.map((member) => [member.name, member]));
      for (const [index, { name, start }] of members.entries())
        if (last.get(name) !== members[index]) found.shadowed.push({ start, end: members[index + 1]?.start ?? start });
    }
    if (members.some(({ name }) => looksWhole(name)) && isReordered(members)) found.hasSorted = true;
  };

  const start = spaceAt(0);
  if (text.charCodeAt(start) === openBrace) objectAt(start, found.members);
  else valueAt(start);
  return found;
}

const isEnd = (sign: number): boolean => sign === comma || sign === closeBrace || sign === closeBracket || sign <= 32;

/** Whether an odd number of backslashes stands before this place. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (text.charCodeAt(start - 1) === backslash) start -= 1;
  return (at - start) % 2 === 1;
}

/** Most objects have few members: comparing each with each is quicker than a set of their names. */
function hasTwins(members: Member[]): boolean {
  if (members.length > 8) return new Set(members.map(({ name }) => name)).size < members.length;
  for (let index = 1; index < members.length; index += 1)
    for (let other = 0; other < index; other += 1) if (members[index]?.name === members[other]?.name) return true;
  return false;
}

/** To JavaScript it may be an index, and stands before all other names. */
const looksWhole = (name: string): boolean => {
  const sign = name.charCodeAt(0);
  return sign >= 48 && sign <= 57 && /^(0|[1-9]\d*)$/.test(name);
};

function isReordered(members: Member[]): boolean {
  const names = [...new Set(members.map(({ name }) => name))];
  const sorted = Object.keys(Object.fromEntries(names.map((name) => [name, null])));
  return sorted.some((name, index) => name !== names[index]);
}
