import { AppError } from "../error.ts";
import { readImageHeader, works } from "./image.ts";
import { InlineImage } from "./inline-image.ts";

export interface InspectedImage {
  url: InlineImage;
  /** What a result says of it. */
  image: {
    bucket: string | null;
    key: string | null;
    format: string;
    width: number;
    height: number;
    sizeBytes: number;
  };
}

/** Looks at an image's own bytes. Throws what is wrong with it, naming the field that it came in. */
export function inspectImage(
  bytes: Uint8Array,
  param: string | undefined,
  at?: { bucket: string; key: string },
): InspectedImage {
  const found = readImageHeader(bytes);
  if (!found.ok) throw new AppError(found.code, param ? `${param}: ${found.message}` : found.message, { param });
  const { format, width, height } = found;
  return {
    url: new InlineImage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), { format, width, height }),
    image: { bucket: at?.bucket ?? null, key: at?.key ?? null, format, width, height, sizeBytes: bytes.byteLength },
  };
}

const base64Pattern = /^[A-Za-z0-9+/_-]*={0,2}$/;
export const withoutSpace = (text: string): string => text.replace(/\s+/g, "");

export const isDataUrl = (url: string): boolean => /^data:/i.test(url);

/**
 * Decodes base64, with line breaks, of the alphabet for URLs or without padding too: it is written anew before OpenAI gets it. What
 * Node would skip over is an error here.
 */
export function decodeBase64(text: string, param: string): Uint8Array {
  const compact = withoutSpace(text);
  if (!base64Pattern.test(compact) || compact.length % 4 === 1) {
    throw new AppError("invalid_image", `${param}: This is not base64. ${works}`, { param });
  }
  return Buffer.from(compact, "base64");
}

/** The bytes of a `data:` URL. Its media type is not believed: the bytes tell. */
export function decodeDataUrl(url: string, param: string): Uint8Array {
  const comma = url.indexOf(",");
  if (comma < 0 || !/;base64$/i.test(url.slice(0, comma))) {
    throw new AppError(
      "invalid_image",
      `${param}: A data: URL has to read data:image/png;base64,… (or jpeg, webp, gif). ${works}`,
      {
        param,
      },
    );
  }
  return decodeBase64(url.slice(comma + 1), param);
}
