import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPattern } from "../../../packages/core/src/structured/pattern.ts";
import { validate } from "../../../packages/core/src/structured/validate.ts";

/** Whether an answer of this text passes a schema with this pattern. */
const fits = (pattern: string, value: string): boolean => validate({ type: "string", pattern }, value).length === 0;

describe("a pattern that OpenAI takes and JavaScript's flag u does not", () => {
  it.each<[string, string, string]>([
    ["^\\d{3}\\-\\d{4}$", "555-0199", "5550199"],
    ["^\\@\\w+$", "@ada", "ada"],
    ["^\\w+\\:\\w+$", "a:b", "a-b"],
    ["^[\\@\\#\\_\\ \\'\\\"]+$", "@#_ '\"", "x"],
    ["^\\é$", "é", "e"],
    ["^[\\w-.]+@([\\w-]+\\.)+[\\w-]{2,4}$", "a-b.c@x-y.org", "a b@x.org"],
    ["^[\\w-\\.]+$", "a-b.c", "a b"],
    ["^a{1\\,2}$", "a{1,2}", "aa"],
    ["^{x}]$", "{x}]", "x"],
    ["^(?P<word>\\w)(?P=word)$", "aa", "ab"],
    ["(?i)^abc$", "ABC", "ABD"],
    ["\\Aab\\z", "ab", "xab"],
    ["^[[:alpha:]_-]+$", "a_-B", "a1"],
    ["^\\pL+$", "éж", "1"],
    ["^\\p{Greek}+$", "αβγ", "abc"],
    ["^\\x{1F600}$", "😀", "x"],
    ["^(?#a comment)a$", "a", "b"],
  ])("is judged as it is meant: %s", (pattern, fitting, misfitting) => {
    expect(readPattern(pattern)).toMatchObject({ ok: true, hasLookaround: false });
    expect(fits(pattern, fitting)).toBe(true);
    expect(fits(pattern, misfitting)).toBe(false);
  });

  it.each(["^a++$", "\\Qa.b\\E", "^a{,3}$", "(?>a|ab)c", "\\<a\\>", "[]a]", "[a[b]]", "(?x) a b", "\\p{Nothing}"])(
    "is neither refused nor judged when only other dialects know what it says: %s",
    (pattern) => {
      expect(readPattern(pattern)).toMatchObject({ ok: true, expression: null });
      expect(fits(pattern, "whatever it says")).toBe(true);
    },
  );

  it("does not turn a foreign pattern into a refusal below a keyword that reverses it", () => {
    const foreign = { type: "string", pattern: "^a++$" };
    for (const schema of [{ not: foreign }, { oneOf: [foreign, { type: "string" }] }, { if: foreign, else: false }]) {
      expect(validate(schema, "aaa"), JSON.stringify(schema)).toEqual([]);
    }
    const named = { type: "object", patternProperties: { "^a++$": {} }, additionalProperties: false };
    expect(validate(named, { aaa: 1 })).toEqual([]);
  });
});

it.each(["(", "a)", "[a", "*a", "[z-a]", "a\\", "(?P<x>a"])(
  "a pattern that no dialect takes is told: %s",
  (pattern) => {
    expect(readPattern(pattern)).toEqual({ ok: false, reason: expect.stringMatching(/\w/) });
  },
);

it("what JavaScript's flag u takes stays as it is", () => {
  const pieces = fc.constantFrom(
    "a",
    "\\d",
    "[a-z]",
    "(b|c)",
    "x?",
    "\\u0041",
    "\\p{L}",
    ".",
    "\\.",
    "(?:d)+",
    "[^\\s-]",
  );
  fc.assert(
    fc.property(fc.array(pieces), (parts) => {
      const pattern = parts.join("");
      expect(readPattern(pattern)).toEqual({ ok: true, expression: pattern, hasLookaround: false });
    }),
  );
});

it("never throws, and takes time in proportion to a hostile pattern's length", () => {
  const letters = fc.constantFrom(..."\\()[]{}?*+|^$.<>=!:P,-01aQ\u{1F600}");
  fc.assert(fc.property(fc.array(letters), (text) => "ok" in readPattern(text.join(""))));
  for (const piece of ["(?#", "\\p{", "[[:", "(?<a", "(?P<", "\\k<", "{1", "\\@", "[\\w-"]) {
    expect(readPattern(piece.repeat(20_000))).toHaveProperty("ok");
  }
});
