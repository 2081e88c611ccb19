/** What a file is that is none of OpenAI's four formats, so that its owner learns what went wrong. */
export interface Foreign {
  /** With its article: "a BMP image", "an HTML page". */
  name: string;
  /** A `picture` could be converted; anything else came in by mistake. */
  kind: "picture" | "other";
}

interface Signature extends Foreign {
  offset: number;
  /** Any of these, read as Latin-1. */
  magic: string[];
}

/** In this order, since some begin alike. Sources: each format's specification, and the database of file(1). */
const signatures: readonly Signature[] = [
  {
    offset: 4,
    magic: ["ftypheic", "ftypheix", "ftypheim", "ftypheis", "ftyphevc", "ftypmif1", "ftypmsf1"],
    name: "a HEIC image, as iPhones take them",
    kind: "picture",
  },
  { offset: 4, magic: ["ftypavif", "ftypavis"], name: "an AVIF image", kind: "picture" },
  { offset: 4, magic: ["ftyp"], name: "an MP4 or QuickTime video", kind: "other" },
  { offset: 0, magic: ["II*\0", "MM\0*"], name: "a TIFF image or a camera's raw file", kind: "picture" },
  { offset: 0, magic: ["\0\0\x01\0"], name: "an ICO icon", kind: "picture" },
  { offset: 0, magic: ["\xff\x0a", "\0\0\0\x0cJXL "], name: "a JPEG XL image", kind: "picture" },
  { offset: 0, magic: ["\0\0\0\x0cjP  "], name: "a JPEG 2000 image", kind: "picture" },
  { offset: 0, magic: ["8BPS"], name: "a Photoshop file", kind: "picture" },
  { offset: 0, magic: ["%PDF-"], name: "a PDF document", kind: "picture" },
  { offset: 0, magic: ["PK\x03\x04"], name: "a ZIP archive", kind: "other" },
  { offset: 0, magic: ["\x1f\x8b"], name: "a gzip archive", kind: "other" },
  { offset: 8, magic: ["AVI ", "WAVE"], name: "an audio or video file", kind: "other" },
];

/** What a text begins with, once white space, comments and declarations are gone. */
const texts: readonly (Foreign & { begins: RegExp })[] = [
  { begins: /^<svg[\s>]/i, name: "an SVG image", kind: "picture" },
  { begins: /^<(html|head|body|title|h1)[\s>]/i, name: "an HTML page, perhaps a saved error page", kind: "other" },
  { begins: /^<[a-z]/i, name: "an XML document, perhaps a saved error message", kind: "other" },
  { begins: /^data:image\//i, name: "a data URL, whose base64 has to be decoded first", kind: "other" },
  {
    begins: /^(iVBORw0KGgo|\/9j\/|R0lGOD|UklGR)/,
    name: "an image still in base64, which has to be decoded first",
    kind: "other",
  },
  { begins: /^[{[]/, name: "JSON", kind: "other" },
];

/** Enough for any signature, and for the comments with which an SVG may begin. */
const headBytes = 4096;

export function nameOf(file: Buffer): Foreign {
  const head = file.subarray(0, headBytes);
  if (head.every((byte) => byte === 0)) return { name: "a file of nothing but zero bytes", kind: "other" };
  const binary = head.toString("latin1");
  const signature = signatures.find(({ offset, magic }) => magic.some((text) => binary.startsWith(text, offset)));
  if (signature !== undefined) return signature;
  if (!head.every(isTextByte)) {
    // A text may well begin with BM.
    if (binary.startsWith("BM")) return { name: "a BMP image", kind: "picture" };
    return { name: "in no image format that is known here", kind: "other" };
  }
  const text = head.toString("utf8").replace(/^\ufeff/, "");
  if (/^\s*<!doctype html/i.test(text)) return { name: "an HTML page, perhaps a saved error page", kind: "other" };
  const start = text.replace(/<!--[\s\S]*?-->|<\?[^>]*>|<![^>]*>/g, "").trimStart();
  return texts.find(({ begins }) => begins.test(start)) ?? { name: "text", kind: "other" };
}

/** Anything but control characters; white space among them is text. UTF-8 and Latin-1 alike. */
function isTextByte(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f : byte >= 0x09 && byte <= 0x0d;
}
