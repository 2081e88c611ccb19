import type { Message } from "../chat/message.ts";
import { AppError } from "../error.ts";
import type { ResultImage } from "../result/result.ts";
import { inspectImage, works } from "./image.ts";
import { InlineImage } from "./inline-image.ts";

export interface InspectedImage {
  url: InlineImage;
  image: ResultImage;
}

/** Looks at an image's own bytes. Throws what is wrong with it, naming the field that it came in. */
export function inspected(
  bytes: Uint8Array,
  param: string | undefined,
  at?: { bucket: string; key: string },
): InspectedImage {
  const found = inspectImage(bytes);
  if (!found.ok) throw new AppError(found.code, param ? `${param}: ${found.message}` : found.message, { param });
  const { format, width, height } = found;
  return {
    url: new InlineImage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), { format, width, height }),
    image: { bucket: at?.bucket ?? null, key: at?.key ?? null, format, width, height, sizeBytes: bytes.byteLength },
  };
}

const base64Pattern = /^[A-Za-z0-9+/_-]*={0,2}$/;
const withoutSpace = (text: string): string => text.replace(/\s+/g, "");

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

/**
 * A message as OpenAI reads it: inline images by their own bytes, the base64 of audio and files without line breaks, no empty
 * lists. Throws for an image that OpenAI could not read. Images behind http(s) URLs are OpenAI's to fetch.
 */
export function mendMessage(message: Message, index: number): MendedMessage {
  if ("tool_calls" in message && message.tool_calls?.length === 0) {
    const { tool_calls: _, ...others } = message;
    return mendMessage(others, index);
  }
  const { content } = message;
  if (!Array.isArray(content)) return message;
  return { ...message, content: content.map((part, at) => mendPart(part, `messages[${index}].content[${at}]`)) };
}

interface MendedMessage {
  role: string;
  content?: unknown;
}

type Part = Exclude<Message["content"], string | null | undefined>[number];

function mendPart(part: Part, param: string): object {
  if (part.type === "image_url" && isDataUrl(part.image_url.url)) {
    const { url } = inspectedUrl(part.image_url.url, `${param}.image_url.url`);
    return { ...part, image_url: { ...part.image_url, url } };
  }
  if (part.type === "input_audio") {
    return { ...part, input_audio: { ...part.input_audio, data: withoutSpace(part.input_audio.data) } };
  }
  if (part.type === "file" && part.file.file_data && isDataUrl(part.file.file_data)) {
    const { file_data } = part.file;
    const comma = file_data.indexOf(",");
    const mended = file_data.slice(0, comma).toLowerCase() + withoutSpace(file_data.slice(comma));
    return comma < 0 ? part : { ...part, file: { ...part.file, file_data: mended } };
  }
  return part;
}

const inspectedUrl = (url: string, param: string): InspectedImage => inspected(decodeDataUrl(url, param), param);
