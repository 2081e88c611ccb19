const base64 = String.raw`(?:[a-z\d+/]{4})*(?:[a-z\d+/]{4}|[a-z\d+/]{3}=?|[a-z\d+/]{2}(?:==)?)`;
const quoted = String.raw`(?:[!-<>@-~]|=[\da-f]{2})+`;

/** RFC 2047, section 2: `=?charset?encoding?text?=`, with the language of RFC 2231, section 5, after the charset. */
const wordIn = (charset: string): string => String.raw`=\?${charset}(?:\*[^\s?]*)?\?(?:b\?${base64}|q\?${quoted})\?=`;

/** Words of one charset in a row. Linear white space between two words only separates them. */
const wordsInARow = new RegExp(
  String.raw`${wordIn(String.raw`(?<charset>[^\s?*]+)`)}(?:[ \t\r\n]*${wordIn(String.raw`\k<charset>`)})*`,
  "gi",
);
const onlySpace = /^[ \t\r\n]*$/;

/**
 * Decodes the encoded-words in a header's text. Everything else stays as it is: other text, malformed words, words of a charset that
 * TextDecoder does not know, and words whose bytes that charset does not have. Words may be longer than RFC 2047 allows, and may touch
 * other text.
 */
export function decodeEncodedWords(text: string): string {
  let decoded = "";
  let end = 0;
  let previousDecoded = false;
  for (const { 0: words, index, groups } of text.matchAll(wordsInARow)) {
    const between = text.slice(end, index);
    const meaning = decodeWords(words, groups?.charset ?? "");
    decoded += previousDecoded && meaning !== null && onlySpace.test(between) ? "" : between;
    decoded += meaning ?? words;
    previousDecoded = meaning !== null;
    end = index + words.length;
  }
  return decoded + text.slice(end);
}

/** Decodes the bytes of all words together, because a character may begin in one word and end in the next. */
function decodeWords(words: string, charset: string): string | null {
  const parts = [...words.matchAll(/=\?[^?]+\?([bq])\?([^?]+)\?=/gi)];
  const bytes = parts.map(([, encoding = "", text = ""]) => bytesOf(encoding.toUpperCase(), text));
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes));
  } catch {
    return null;
  }
}

function bytesOf(encoding: string, text: string): Buffer {
  if (encoding === "B") return Buffer.from(text, "base64");
  const unquoted = text
    .replaceAll("_", " ")
    .replace(/=([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(unquoted, "latin1");
}
