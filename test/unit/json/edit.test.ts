import { withMember, withoutMember, withoutShadowed } from "@tollgate/core/json/edit";
import { survey } from "@tollgate/core/json/survey";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** JSON texts as people write them: with any white space, escapes and numbers, names twice, names that look like numbers. */
const space = fc.constantFrom("", "", "", " ", "\n\t", "\r\n  ");
const name = fc.oneof(
  fc.constantFrom("a", "b", "1", "2", "10", "metadata", "stream_options", "__proto__", "", 'q"\\', "\\u0061"),
  fc.string({ maxLength: 5 }),
);
const nameText = name.map((text) => (text === "\\u0061" ? '"\\u0061"' : JSON.stringify(text)));
const number = fc.constantFrom("0", "-1", "1.0", "1e3", "12345678901234567890", "0.1", "-0.0", "1E+400");
const { value } = fc.letrec<{ value: string; object: string; list: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    number,
    fc.constantFrom("true", "false", "null", '"\\\\"', '"\\\\\\""', '"{[,:]}"'),
    fc.string().map((text) => JSON.stringify(text)),
    tie("list"),
    tie("object"),
  ),
  list: fc
    .tuple(space, fc.array(fc.tuple(tie("value"), space), { maxLength: 4 }))
    .map(([before, items]) => `[${before}${items.map(([item, after]) => item + after).join(`,${before}`)}]`),
  object: objectOf(tie("value")),
}));
function objectOf(member: fc.Arbitrary<string>) {
  return fc
    .tuple(space, fc.array(fc.tuple(nameText, space, member, space), { maxLength: 5 }))
    .map(
      ([before, members]) =>
        `{${before}${members.map(([key, gap, item, after]) => `${key}${gap}:${gap}${item}${after}`).join(`,${before}`)}}`,
    );
}
const object = fc.tuple(space, objectOf(value), space).map((parts) => parts.join(""));

const parse = (text: string): Record<string, unknown> => JSON.parse(text);
/** `__proto__` is among them like any other name. */
const entries = (text: string) => Object.entries(parse(text)).sort(([a], [b]) => (a < b ? -1 : 1));

test("withMember sets the member that JSON.parse reads, and changes no byte outside of it", () => {
  fc.assert(
    fc.property(object, name, value, (text, key, member) => {
      const edited = withMember(text, key, member);
      const others = entries(text).filter(([other]) => other !== key);
      expect(entries(edited).filter(([other]) => other !== key)).toEqual(others);
      expect(Object.getOwnPropertyDescriptor(parse(edited), key)?.value).toEqual(JSON.parse(member));
      // What stands before and behind is the text's own.
      const [head, tail] = [commonStart(text, edited), commonStart(reversed(text), reversed(edited))];
      expect(head + tail).toBeGreaterThanOrEqual(Math.min(text.length, edited.length) - replaced(text, key));
    }),
  );
});

/** How long the value is that a member of this name has, as text. */
function replaced(text: string, key: string): number {
  const member = survey(text).members.findLast((candidate) => candidate.name === key);
  return member ? member.end - member.valueStart : 0;
}
const reversed = (text: string): string => text.split("").reverse().join("");
function commonStart(one: string, other: string): number {
  let length = 0;
  while (length < Math.min(one.length, other.length) && one[length] === other[length]) length += 1;
  return length;
}

test("withoutMember takes all members of a name away, and leaves the others", () => {
  fc.assert(
    fc.property(object, name, (text, key) => {
      const edited = withoutMember(text, key);
      expect(entries(edited)).toEqual(entries(text).filter(([other]) => other !== key));
      if (!survey(text).members.some((member) => member.name === key)) expect(edited).toBe(text);
    }),
  );
});

test("withoutShadowed leaves what JSON.parse reads, once", () => {
  fc.assert(
    fc.property(object, (text) => {
      const edited = withoutShadowed(text);
      expect(JSON.stringify(sorted(JSON.parse(edited)))).toBe(JSON.stringify(sorted(JSON.parse(text))));
      expect(survey(edited).shadowed).toEqual([]);
      if (survey(text).shadowed.length === 0) expect(edited).toBe(text);
    }),
  );
});

/** With names in an order of their own, since the last of two may stand elsewhere than the first. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .map(([key, item]) => [key, sorted(item)])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

describe("survey", () => {
  test("finds where JSON.parse reads each member", () => {
    fc.assert(
      fc.property(object, (text) => {
        const found = new Map(
          survey(text).members.map((member) => [member.name, text.slice(member.valueStart, member.end)]),
        );
        expect([...found].map(([key, item]) => [key, JSON.parse(item)]).sort(([a], [b]) => (a < b ? -1 : 1))).toEqual(
          entries(text),
        );
      }),
    );
  });

  test("takes any JSON, and tells when what is written anew would be another", () => {
    fc.assert(
      fc.property(value, (text) => {
        const { hasRounded, hasSorted, shadowed } = survey(text);
        expect(hasRounded).toBe(/12345678901234567890|1E\+400/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, '""')));
        // Text alone tells all: nothing is lost where it says so.
        if (!hasSorted && shadowed.length === 0)
          expect(namesIn(text)).toEqual(namesIn(JSON.stringify(JSON.parse(text))));
      }),
    );
  });

  test.each<[string, boolean]>([
    ['{"1": 0, "2": 0, "a": 0}', false],
    ['{"2": 0, "1": 0}', true],
    ['{"a": [{"b": 0, "1": 0}]}', true],
    ['{"01": 0, "-1": 0, "1.5": 0, "a": 0}', false],
    ['["2", "1"]', false],
  ])("tells whether JavaScript sorts the names of %s", (text, expected) => {
    expect(survey(text).hasSorted).toBe(expected);
  });
});

/** Names in the order of the text. */
const namesIn = (text: string): string[] =>
  [...text.matchAll(/("(?:[^"\\]|\\.)*")\s*(:?)/g)].flatMap(([, quoted = "", colon]) =>
    colon === ":" ? [JSON.parse(quoted)] : [],
  );
