import { decodeEncodedWords } from "@tollgate/core/upload/encoded-words";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

describe("decodeEncodedWords decodes", () => {
  test.each([
    ["base64", "=?UTF-8?B?V2FzIGlzdCBkYXM/?=", "Was ist das?"],
    ["base64 without its padding", "=?UTF-8?B?w7w?=", "ü"],
    ["Q, whose underscores are spaces", "=?UTF-8?Q?gr=C3=BC=C3=9F_dich=5F=3F?=", "grüß dich_?"],
    ["encoding and charset in either case", "=?utf-8?b?w7w=?= =?Utf-8?q?=c3=bc?=", "üü"],
    ["one character that two words share", "=?UTF-8?B?8J+O?= =?UTF-8?Q?=88!?=", "🎈!"],
    ["words that white space and line ends part", "=?UTF-8?Q?a?=\r\n\t =?UTF-8?Q?b?=", "ab"],
    ["words that nothing parts", "=?UTF-8?Q?a?==?UTF-8?Q?b?=", "ab"],
    ["words of two charsets", "=?ISO-8859-1?Q?=FC?= =?UTF-8?Q?=C3=BC?= =?utf-8?q?!?=", "üü!"],
    ["words beside other text, and keeps its spaces", "What is  =?UTF-8?B?w7w=?= , please", "What is  ü , please"],
    ["words in brackets and quotes", '(=?UTF-8?Q?=C3=BC?=) "=?UTF-8?Q?=C3=BC?="', '(ü) "ü"'],
    ["a language after the charset", "=?utf-8*en?Q?hello?= =?UTF-8*de-AT?Q?=2C_hallo?=", "hello, hallo"],
    ["a word longer than RFC 2047 allows", `=?UTF-8?Q?${"=C3=BC".repeat(500)}?=`, "ü".repeat(500)],
    ["line ends in a word", "=?UTF-8?B?YQpi?=", "a\nb"],
    ["Western European", "=?windows-1252?Q?=80_5?=", "€ 5"],
    ["Cyrillic", "=?KOI8-R?B?8NLJ18XU?=", "Привет"],
    ["Japanese", "=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?= =?Shift_JIS?B?k/qWew==?=", "日本日本"],
    ["Chinese", "=?GB18030?B?1tDOxA==?= =?Big5?B?pKSk5Q==?=", "中文中文"],
    ["Korean", "=?EUC-KR?B?x9GxuQ==?=", "한국"],
  ])("%s", (_, text, meant) => {
    expect(decodeEncodedWords(text)).toBe(meant);
  });

  // Section 8 of RFC 2047 has these forms.
  test.each([
    ["=?ISO-8859-1?Q?x?=", "x"],
    ["=?ISO-8859-1?Q?x?= y", "x y"],
    ["=?ISO-8859-1?Q?x?= =?ISO-8859-1?Q?y?=", "xy"],
    ["=?ISO-8859-1?Q?x?=  \t =?ISO-8859-1?Q?y?=", "xy"],
    ["=?ISO-8859-1?Q?x_y?=", "x y"],
    ["=?ISO-8859-1?Q?x?= =?ISO-8859-2?Q?_y?=", "x y"],
  ])("%s", (text, meant) => {
    expect(decodeEncodedWords(text)).toBe(meant);
  });

  test("any text, however it is cut into words", () => {
    const form = fc.record({
      encoding: fc.constantFrom("B", "b", "Q", "q"),
      charset: fc.constantFrom("UTF-8", "utf-8", "Utf-8*en"),
      space: fc.constantFrom("", " ", "\t", "\r\n "),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    // Characters of one to four bytes, and those that mean something in a word or to a decoder.
    const text = fc.string({ unit: fc.constantFrom(..."aé–日🎈 _?=+/\n\0\ufeff"), minLength: 1 });
    fc.assert(
      fc.property(text, fc.array(form, { maxLength: 4 }), (meant, forms) => {
        let rest = Buffer.from(meant);
        const words = forms.map(({ share, space, ...form }) => {
          const bytes = rest.subarray(0, 1 + Math.floor(share * (rest.length - 1)));
          rest = rest.subarray(bytes.length);
          return bytes.length > 0 ? wordOf(bytes, form) + (rest.length > 0 ? space : "") : "";
        });
        const last = rest.length > 0 ? wordOf(rest, { encoding: "B", charset: "UTF-8" }) : "";
        expect(decodeEncodedWords(words.join("") + last)).toBe(meant);
      }),
    );
  });
});

describe("decodeEncodedWords leaves as it is", () => {
  test.each([
    ["no text", ""],
    ["text that holds no word", "What does =?x?= mean, and =?UTF-8? or ?= alone?"],
    ["other text beyond ASCII", "größe 日本 🎈"],
    ["an unknown charset", "=?X-NONE?B?w7w=?= =?utf-7?Q?a?="],
    ["an unknown encoding", "=?UTF-8?X?w7w=?="],
    ["base64 with another character", "=?UTF-8?B?w7w!?="],
    ["base64 of a length that no bytes have", "=?UTF-8?B?w7w=a?= =?UTF-8?B?w?="],
    ["padding alone", "=?UTF-8?B?==?="],
    ["Q with half an escape, or with a space", "=?UTF-8?Q?=C?= =?UTF-8?Q?=GG?= =?UTF-8?Q?a b?="],
    ["bytes that are none of their charset", "=?UTF-8?Q?=FC?= =?UTF-8?B?/w==?="],
    ["a word without text", "=?UTF-8?B??= =?UTF-8?Q??="],
    ["a word that is cut off", "=?UTF-8?B?w7w=?"],
  ])("%s", (_, text) => {
    expect(decodeEncodedWords(text)).toBe(text);
  });

  test("a broken word and the space beside it, while it decodes the others", () => {
    expect(decodeEncodedWords("=?UTF-8?Q?=C3=BC?= =?UTF-8?B?!?= =?UTF-8?Q?=C3=BC?=")).toBe("ü =?UTF-8?B?!?= ü");
    expect(decodeEncodedWords("=?x?Q?a?= =?UTF-8?Q?=C3=BC?=")).toBe("=?x?Q?a?= ü");
  });
});

function wordOf(bytes: Buffer, { encoding, charset }: { encoding: string; charset: string }): string {
  const quoted = [...bytes].map((byte) => `=${byte.toString(16).padStart(2, "0")}`).join("");
  return `=?${charset}?${encoding}?${/b/i.test(encoding) ? bytes.toString("base64") : quoted}?=`;
}
