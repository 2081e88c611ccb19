import type { IncomingMessage } from "node:http";
import { type Duplex, PassThrough, pipeline, Readable } from "node:stream";

/** Loaded at the first compressed body: OpenAI sends none. */
const zlib = () => process.getBuiltinModule("node:zlib");

type Step = Duplex | ((source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>);

/** By their names in `content-encoding`: RFC 9110, section 8.4.1, RFC 7932 and RFC 8878. */
const decoders: Record<string, () => Step> = {
  gzip: () => zlib().createGunzip(),
  "x-gzip": () => zlib().createGunzip(),
  br: () => zlib().createBrotliDecompress(),
  zstd: () => zlib().createZstdDecompress(),
  deflate: () => inflate,
};

/** The body of a message as it was before its server compressed it; the message itself when it did not. Each piece as it comes. */
export function decoded(message: IncomingMessage): Readable {
  const encodings = (message.headersDistinct["content-encoding"] ?? [])
    .flatMap((line) => line.toLowerCase().split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  if (encodings.length === 0) return message;
  // The last one was put on last.
  const steps = encodings.reverse().map((name) => {
    const decoder = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
    if (!decoder) throw new Error(`The answer is encoded as ${name.slice(0, 40)}, which cannot be decoded here.`);
    return decoder();
  });
  const whole = new PassThrough();
  // An error ends every step, and is thrown to the reader of the last.
  pipeline([message, ...steps, whole] as unknown as [Readable, PassThrough], () => {});
  return whole;
}

/** Some servers send `deflate` without zlib's header, which the first byte tells. */
async function* inflate(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const pieces = source[Symbol.asyncIterator]();
  const first = await pieces.next();
  if (first.done) return;
  const hasHeader = ((first.value[0] ?? 0) & 0x0f) === 8;
  const decoder = hasHeader ? zlib().createInflate() : zlib().createInflateRaw();
  async function* all() {
    yield first.value as Buffer;
    yield* { [Symbol.asyncIterator]: () => pieces };
  }
  pipeline(Readable.from(all()), decoder, () => {});
  yield* decoder;
}
