import { decodeDataUrl, type InspectedImage, inspectImage, isDataUrl, withoutSpace } from "../image/content.ts";
import type { Message } from "./message.ts";

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

const inspectedUrl = (url: string, param: string): InspectedImage => inspectImage(decodeDataUrl(url, param), param);
