import { randomUUID } from "node:crypto";
import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";
import { InlineImage } from "../image/inline-image.ts";
import type { OpenAIRequest } from "./verbatim.ts";

/** A request as JSON that is never one text: with images of 20 MB it would be several times as large as they are. */
export interface Body {
  contentLength: number;
  /** From its start, once for each time that it is sent. A piece lasts until the next is asked for. */
  pieces(): Generator<Buffer>;
}

/** A request as it is sent: one text, unless images go inside of it. */
export function bodyOf({ params, verbatim }: OpenAIRequest): string | Body {
  if (verbatim && "request" in verbatim) return verbatim.request;
  const members = Object.entries(verbatim?.members ?? {});
  const others = members.length === 0 ? params : { ...params, ...Object.fromEntries(members.map(([name]) => [name])) };
  if (!hasInlineImages(params)) return withLast(JSON.stringify(others), members);
  const images: InlineImage[] = [];
  // A text could only hold it by guessing its 122 random bits.
  const mark = randomUUID();
  const json = JSON.stringify(others, (_, value) => {
    if (!(value instanceof InlineImage)) return value;
    images.push(value);
    return mark;
  });
  const parts = withLast(json, members)
    .split(mark)
    .flatMap((text, n) => [...images.slice(n - 1, n), text]);
  return {
    contentLength: parts.reduce((sum, part) => sum + lengthOf(part), 0),
    *pieces() {
      for (const part of parts) yield* typeof part === "string" ? [Buffer.from(part)] : part.url();
    },
  };
}

/** An object's JSON with more members. It has some already: every request has messages. */
function withLast(json: string, members: [name: string, text: string][]): string {
  if (members.length === 0) return json;
  return `${json.slice(0, -1)},${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}

const lengthOf = (part: string | InlineImage): number =>
  typeof part === "string" ? Buffer.byteLength(part) : part.urlLength;

/** Looks where images may be and nowhere else: most requests have none, and should not pay for those that do. */
const hasInlineImages = ({ messages }: ChatCompletionCreateParams): boolean =>
  messages.some(
    ({ content }) =>
      Array.isArray(content) && content.some((part: Part | null) => part?.image_url?.url instanceof InlineImage),
  );

/** On `/v1/chat/completions` only OpenAI judges what a part is. */
interface Part {
  image_url?: { url?: unknown };
}
