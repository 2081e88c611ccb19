/** RFC 2047's words of UTF-8, also several in a row. What S3 does with words of another charset is not known: they stay as they came. */
const words = /=\?utf-8\?[bq]\?[^?\s]+\?=(?:\s+=\?utf-8\?[bq]\?[^?\s]+\?=)*/gi;

/** A header's value as S3 stores it. Source: as of `encodeWord`. */
export function decodeWords(value: string): string {
  return value.replace(words, (found) => {
    const bytes = found.split(/\s+/).map((word) => {
      const [, , encoding = "", text = ""] = word.split("?");
      return encoding.toUpperCase() === "B" ? Buffer.from(text, "base64") : unquote(text);
    });
    return Buffer.concat(bytes).toString();
  });
}

function unquote(text: string): Buffer {
  const bytes = text
    .replaceAll("_", " ")
    .replace(/=([\dA-F]{2})/gi, (_, code) => String.fromCharCode(Number(`0x${code}`)));
  return Buffer.from(bytes, "latin1");
}

/**
 * A value as S3 gives it back: ASCII as it is, other text as one word in UTF-8, with Q where all of it can be printed and B elsewhere.
 * Source: what LocalStack's tests recorded of AWS (test_user_metadata_rfc2047_encoded, test_post_object_with_unicode_metadata), read in
 * November 2026. Whether S3 cuts what is longer than 73 characters into several words is not recorded.
 */
export function encodeWord(value: string): string {
  if (/^[\t\x20-\x7e]*$/.test(value)) return value;
  const bytes = Buffer.from(value);
  if (/[\p{C}\ufffd]/u.test(value)) return `=?UTF-8?B?${bytes.toString("base64")}?=`;
  const text = bytes.toString("latin1").replace(/[^!-<>@-^`-~]/g, (character) => {
    return character === " " ? "_" : `=${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
  return `=?UTF-8?Q?${text}?=`;
}
