import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import type { Detail } from "./detail.ts";
import { InlineImage } from "./inline-image.ts";
import { type Size, sizeSeen } from "./tokens.ts";

/** Formats that are written as they were read. A GIF stays as it is. */
export type ShrinkableFormat = "jpeg" | "png" | "webp";

/** The same picture in this size, in its own format, with its EXIF orientation as it was; null when it cannot be read. */
export type Shrink = (bytes: Buffer, format: ShrinkableFormat, size: Size) => Promise<Buffer | null>;

/** As much of a call as is looked at here. */
interface Call {
  model: string;
  params: ChatCompletionCreateParamsNonStreaming;
}
/** As much of a message as is looked at here. */
interface Message {
  content?: unknown;
}
interface ImagePart {
  type: "image_url";
  image_url: { url: unknown; detail?: Detail };
}

/**
 * The call with its images as OpenAI would shrink them anyway, where that makes fewer bytes to send: the model sees as many
 * pixels, and they cost as many tokens. The call itself when there is no `shrink`.
 */
export async function shrinkImages<C extends Call>(shrink: Shrink | undefined, call: C): Promise<C> {
  if (!shrink) return call;
  const part = async (given: ImagePart) => {
    const { url, detail } = given.image_url ?? {};
    if (!(url instanceof InlineImage)) return given;
    return { ...given, image_url: { ...given.image_url, url: await smaller(shrink, url, call.model, detail) } };
  };
  const messages = await Promise.all(
    call.params.messages.map(async (message: Message) =>
      Array.isArray(message.content) ? { ...message, content: await Promise.all(message.content.map(part)) } : message,
    ),
  );
  return { ...call, params: { ...call.params, messages } };
}

/** One that cannot be shrunk stays as it is: what to make of it is for OpenAI to say. */
async function smaller(
  shrink: Shrink,
  image: InlineImage,
  model: string,
  detail: Detail = "auto",
): Promise<InlineImage> {
  const { format, width, height } = image.header;
  const size = sizeSeen(model, image.header, detail);
  if (format === "gif" || (size.width === width && size.height === height)) return image;
  const bytes = await shrink(image.bytes, format, size);
  return bytes && bytes.length < image.bytes.length ? new InlineImage(bytes, { format, ...size }) : image;
}
