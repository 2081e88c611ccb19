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

/** The brands of an ISO base media file that make a picture of it; MIAF and HEIF list them, and AVIF's own specification. */
const brands: readonly (Foreign & { brand: RegExp })[] = [
  { brand: /^avi[fso]$/, name: "an AVIF image", kind: "picture" },
  { brand: /^(hei[cxms]|hev[cxms])$/, name: "a HEIC image, as iPhones take them", kind: "picture" },
  { brand: /^(jp2 |jpx |jpm |mjp2)$/, name: "a JPEG 2000 image", kind: "picture" },
  { brand: /^(mif1|mif2|msf1|miaf|jpeg|j2ki)$/, name: "a HEIF image", kind: "picture" },
  { brand: /^crx $/, name: "a camera's raw file", kind: "picture" },
];

/** In this order, since some begin alike. Sources: each format's specification, and the database of file(1). */
const signatures: readonly Signature[] = [
  { offset: 0, magic: ["II*\0", "MM\0*"], name: "a TIFF image or a camera's raw file", kind: "picture" },
  { offset: 0, magic: ["II+\0\x08\0\0\0", "MM\0+\0\x08\0\0"], name: "a BigTIFF image", kind: "picture" },
  {
    offset: 0,
    magic: ["IIU\0", "IIRO", "IIRS", "MMOR", "FUJIFILMCCD-RAW"],
    name: "a camera's raw file",
    kind: "picture",
  },
  { offset: 0, magic: ["II\xbc\x01"], name: "a JPEG XR image", kind: "picture" },
  { offset: 0, magic: ["\0\0\x01\0"], name: "an ICO icon", kind: "picture" },
  { offset: 0, magic: ["\0\0\x02\0\x01\0", "\0\0\x02\0\x02\0"], name: "a CUR cursor", kind: "picture" },
  { offset: 0, magic: ["icns"], name: "an ICNS icon", kind: "picture" },
  { offset: 0, magic: ["\xff\x0a", "\0\0\0\x0cJXL "], name: "a JPEG XL image", kind: "picture" },
  {
    offset: 0,
    magic: ["\0\0\0\x0cjP  ", "\xff\x4f\xff\x51"],
    name: "a JPEG 2000 image",
    kind: "picture",
  },
  { offset: 0, magic: ["8BPS\0\x01", "8BPS\0\x02"], name: "a Photoshop file", kind: "picture" },
  { offset: 0, magic: ["gimp xcf "], name: "a GIMP file", kind: "picture" },
  { offset: 0, magic: ["v/1\x01"], name: "an OpenEXR image", kind: "picture" },
  { offset: 0, magic: ["#?RADIANCE", "#?RGBE"], name: "a Radiance HDR image", kind: "picture" },
  { offset: 0, magic: ["qoif"], name: "a QOI image", kind: "picture" },
  { offset: 0, magic: ["DDS \x7c\0\0\0"], name: "a DDS texture", kind: "picture" },
  { offset: 0, magic: ["\xabKTX "], name: "a KTX texture", kind: "picture" },
  { offset: 0, magic: ["FLIF"], name: "a FLIF image", kind: "picture" },
  { offset: 0, magic: ["BPG\xfb"], name: "a BPG image", kind: "picture" },
  { offset: 0, magic: ["SIMPLE  ="], name: "a FITS image", kind: "picture" },
  { offset: 128, magic: ["DICM"], name: "a DICOM image", kind: "picture" },
  { offset: 0, magic: ["\xd7\xcd\xc6\x9a"], name: "a WMF drawing", kind: "picture" },
  { offset: 0, magic: ["\x8aMNG\r\n\x1a\n", "\x8bJNG\r\n\x1a\n"], name: "an MNG or JNG image", kind: "picture" },
  { offset: 0, magic: ["%PDF-"], name: "a PDF document", kind: "picture" },
  { offset: 0, magic: ["%!PS", "\xc5\xd0\xd3\xc6"], name: "a PostScript file", kind: "picture" },
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
  const signature =
    mediaOf(file) ??
    signatures.find(({ offset, magic }) => magic.some((text) => binary.startsWith(text, offset))) ??
    anymapOf(binary);
  if (signature) return signature;
  if (!head.every(isTextByte)) return binaryOf(file, binary);
  const text = head.toString("utf8").replace(/^\ufeff/, "");
  if (/^\s*<!doctype html/i.test(text)) return { name: "an HTML page, perhaps a saved error page", kind: "other" };
  const start = text.replace(/<!--[\s\S]*?-->|<\?[^>]*>|<![^>]*>/g, "").trimStart();
  return texts.find(({ begins }) => begins.test(start)) ?? { name: "text", kind: "other" };
}

/**
 * A file of boxes, of which the first names what it is: the major brand, then those that it is compatible with. An AVIF whose
 * major brand is `mif1` says `avif` among the others, and so does HEIC.
 */
function mediaOf(file: Buffer): Foreign | null {
  if (file.toString("latin1", 4, 8) !== "ftyp") return null;
  const end = Math.min(file.length, file.readUInt32BE(0), headBytes);
  const named = [file.toString("latin1", 8, 12)];
  for (let offset = 16; offset + 4 <= end; offset += 4) named.push(file.toString("latin1", offset, offset + 4));
  // What the major brand says first, unless it only says that there are pictures.
  const major = brands.find(({ brand }) => brand.test(named[0] ?? ""));
  if (major && major.name !== "a HEIF image") return major;
  if (!major && !/^(isom|iso\d|mp4\d)$/.test(named[0] ?? "")) return video;
  const compatible = brands.find(({ brand }) => named.some((name) => brand.test(name)));
  return compatible ?? video;
}

const video: Foreign = { name: "an MP4 or QuickTime video", kind: "other" };

/** Netpbm: P1 to P7, or PF and Pf for floats, white space, then a width. A text may begin with "P4", and goes on otherwise. */
function anymapOf(binary: string): Foreign | null {
  const numbers = /^(P[1-6]|P[Ff])(\s|#[^\n]*\n)+\d+(\s|#[^\n]*\n)+\d+\s/;
  return numbers.test(binary) || /^P7\nWIDTH |^P7\n#/.test(binary) ? { name: "a PNM image", kind: "picture" } : null;
}

/** Formats whose beginning is short, or says nothing. A text may begin with BM as well, so this is asked of binary files only. */
function binaryOf(file: Buffer, binary: string): Foreign {
  if (binary.startsWith("BM") && file.length >= 26) return { name: "a BMP image", kind: "picture" };
  if (isPcx(file)) return { name: "a PCX image", kind: "picture" };
  if (isTga(file)) return { name: "a TGA image", kind: "picture" };
  return { name: "in no image format that is known here", kind: "other" };
}

/** A version, run-length encoding, and bits a pixel; 58 zero bytes at the end of 128. */
function isPcx(file: Buffer): boolean {
  if (file.length < 128 || file[0] !== 0x0a || file[2] !== 1 || file[64] !== 0) return false;
  return [0, 2, 3, 4, 5].includes(file[1] ?? -1) && [1, 2, 4, 8].includes(file[3] ?? -1);
}

/**
 * Truevision TGA, version 2.0: a signature at its end, or, before 1989, none at all. Then its header has to be one in every field,
 * and the file as long as it says.
 */
function isTga(file: Buffer): boolean {
  if (file.length < 18) return false;
  if (file.toString("latin1", file.length - 18) === "TRUEVISION-XFILE.\0") return true;
  const [mapped, type, depth, flags] = [file[1], file[2] ?? 0, file[16] ?? 0, file[17] ?? 0];
  const [width, height] = [file.readUInt16LE(12), file.readUInt16LE(14)];
  const isIndexed = type === 1 || type === 9;
  if (![1, 2, 3, 9, 10, 11].includes(type) || mapped !== (isIndexed ? 1 : 0)) return false;
  if (width === 0 || height === 0 || (flags & 0xc0) !== 0 || (flags & 0x0f) > 8) return false;
  const isGrey = type === 3 || type === 11;
  if (!(isIndexed || isGrey ? [8, 16] : [15, 16, 24, 32]).includes(depth)) return false;
  if (!isIndexed && file.subarray(3, 8).some((byte) => byte !== 0)) return false;
  const mapBytes = isIndexed ? file.readUInt16LE(5) * Math.ceil((file[7] ?? 0) / 8) : 0;
  const pixelBytes = width * height * Math.ceil(depth / 8);
  const before = 18 + (file[0] ?? 0) + mapBytes;
  // Run-length encoding makes up to 128 pixels of one.
  return file.length >= before + (type < 9 ? pixelBytes : Math.floor(pixelBytes / 128));
}

/** Anything but control characters; white space among them is text. UTF-8 and Latin-1 alike. */
function isTextByte(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f : byte >= 0x09 && byte <= 0x0d;
}
