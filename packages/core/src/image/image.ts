import { nameOf } from "./file-signature.ts";
import { gif, jpeg, png, type Structure, webp } from "./structure.ts";

/** OpenAI's limit on one image; its reference, "Vision", checked 2026-11. */
export const maxImageBytes = 20 * 1024 * 1024;

export type ImageFormat = "png" | "jpeg" | "webp" | "gif";

/** What an image says of itself before its pixels. Width and height are in pixels. */
export interface ImageHeader {
  format: ImageFormat;
  width: number;
  height: number;
}

export type Inspection =
  | ({ ok: true } & ImageHeader)
  | { ok: false; code: "unsupported_image" | "invalid_image" | "image_too_large"; message: string };

/** The end of each message about an image. */
export const works = "PNG, JPEG, WebP and non-animated GIF work.";

export const tooLarge = (sizeBytes: number): string =>
  `The image has ${sizeBytes} bytes; at most ${maxImageBytes} (20 MB) are allowed. ${works}`;

/**
 * What these bytes are, from their magic number and structure alone: a name or a content type does not count. Pixels are
 * not decoded; the file is walked once without a copy, so that one that is cut off is found before it is paid for.
 * Width and height are the largest that any decoder could see, of the stored pixels: EXIF orientation changes neither a price nor
 * a limit.
 */
export function readImageHeader(bytes: Uint8Array): Inspection {
  if (bytes.length > maxImageBytes) return { ok: false, code: "image_too_large", message: tooLarge(bytes.length) };
  if (bytes.length === 0) return invalid("The image is empty: it has 0 bytes.");
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = formatOf(file);
  if (format === null) {
    const foreign = nameOf(file);
    const code = foreign.kind === "picture" ? "unsupported_image" : "invalid_image";
    return { ok: false, code, message: `This is ${foreign.name}. ${works}` };
  }
  return inspectionOf(format, { png, jpeg, webp, gif }[format](file));
}

function inspectionOf(format: ImageFormat, { width, height, frames, damage }: Structure): Inspection {
  const name = { png: "PNG", jpeg: "JPEG", webp: "WebP", gif: "GIF" }[format];
  if (damage !== null) return invalid(`This ${name} is damaged: ${damage}.`);
  if (width === 0 || height === 0) return invalid(`This ${name} is ${width} × ${height} pixels, which shows nothing.`);
  if (format === "gif" && frames > 1) {
    return { ok: false, code: "unsupported_image", message: `This is an animated GIF of ${frames} frames. ${works}` };
  }
  return { ok: true, format, width, height };
}

function formatOf(file: Buffer): ImageFormat | null {
  if (file.subarray(0, 8).equals(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"))) return "png";
  if (file[0] === 0xff && file[1] === 0xd8) return "jpeg";
  const head = file.toString("latin1", 0, 12);
  if (head.startsWith("RIFF") && head.endsWith("WEBP")) return "webp";
  return /^GIF8[79]a/.test(head) ? "gif" : null;
}

function invalid(message: string): Inspection {
  return { ok: false, code: "invalid_image", message: `${message} ${works}` };
}
