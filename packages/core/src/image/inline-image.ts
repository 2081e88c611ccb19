import type { ImageHeader } from "./image.ts";

/** A multiple of 3 bytes is whole letters of base64, so that the pieces join. */
const pieceBytes = 3 * 16 * 1024;

/**
 * An image that goes to OpenAI inside the request. It stands where OpenAI's types have `url: string`, and holds the image's own
 * bytes alone: its `data:` URL, a third longer, is written while it is sent.
 */
export class InlineImage {
  readonly bytes: Buffer;
  readonly header: ImageHeader;
  readonly #prefix: string;

  constructor(bytes: Buffer, header: ImageHeader) {
    this.bytes = bytes;
    this.header = header;
    this.#prefix = `data:image/${header.format};base64,`;
  }

  /** Of the URL, in bytes. */
  get urlLength(): number {
    return this.#prefix.length + 4 * Math.ceil(this.bytes.length / 3);
  }

  /**
   * The URL, each piece made when it is asked for, in the memory of the one before: as texts that wait to be sent, 20 MB made
   * V8's heap a hundred megabytes larger.
   */
  *url(): Generator<Buffer> {
    yield Buffer.from(this.#prefix);
    const memory = Buffer.alloc((pieceBytes / 3) * 4);
    for (let start = 0; start < this.bytes.length; start += pieceBytes) {
      const length = memory.write(this.bytes.toString("base64", start, start + pieceBytes), "latin1");
      yield memory.subarray(0, length);
    }
  }
}
