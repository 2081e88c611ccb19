import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { inspectImage, maxImageBytes } from "../../../packages/core/src/vision/image.ts";

const picture = (width = 37, height = 21) =>
  sharp({ create: { width, height, channels: 3, background: { r: 200, g: 30, b: 90 } } });

/** Frames one below the other, as sharp takes them; distinct, or an encoder would merge them. */
async function animatedGif(frames: number): Promise<Buffer> {
  const [width, height] = [8, 8];
  const pixels = Buffer.alloc(width * height * frames * 3);
  for (let frame = 0; frame < frames; frame += 1) {
    pixels.fill((frame * 40) % 256, frame * width * height * 3, (frame + 1) * width * height * 3);
  }
  const raw = { width, height: height * frames, channels: 3 as const, pageHeight: height };
  return sharp(pixels, { raw })
    .gif({ delay: Array(frames).fill(100) })
    .toBuffer();
}

const message = (bytes: Uint8Array): string => {
  const inspection = inspectImage(bytes);
  return inspection.ok ? "ok" : inspection.message;
};
const text = (content: string): Buffer => Buffer.from(content);

describe("an image that OpenAI takes", () => {
  const encoders = {
    "a PNG": () => picture().png(),
    "an interlaced PNG": () => picture().png({ progressive: true, palette: true }),
    "a baseline JPEG": () => picture().jpeg(),
    "a progressive JPEG": () => picture().jpeg({ progressive: true }),
    "a JPEG with EXIF and a colour profile": () => picture().withMetadata({ orientation: 6 }).jpeg(),
    "a lossy WebP": () => picture().webp(),
    "a lossless WebP": () => picture().webp({ lossless: true }),
    "an extended WebP with alpha and EXIF": () => picture().ensureAlpha(0.5).withMetadata().webp(),
    "a GIF": () => picture().gif(),
  };
  for (const [name, encode] of Object.entries(encoders)) {
    it(`measures ${name} as sharp does`, async () => {
      const bytes = await encode().toBuffer();
      const { format, width, height } = await sharp(bytes).metadata();
      expect(inspectImage(bytes)).toEqual({ ok: true, format, width, height });
    });

    it(`refuses ${name} at whatever byte it is cut off`, async () => {
      const bytes = await encode().toBuffer();
      for (let length = 0; length < bytes.length; length += 1) {
        expect(inspectImage(bytes.subarray(0, length)), `${length} of ${bytes.length} bytes`).toMatchObject({
          ok: false,
          code: "invalid_image",
        });
      }
    });
  }

  it("measures the largest sides that a format can have", async () => {
    const bytes = await picture(16_383, 1).webp().toBuffer();
    expect(inspectImage(bytes)).toMatchObject({ ok: true, width: 16_383, height: 1 });
  });

  it("looks at a view into a larger buffer, not at the buffer", async () => {
    const bytes = await picture().png().toBuffer();
    const larger = new Uint8Array(bytes.length + 20);
    larger.set(bytes, 10);
    expect(inspectImage(larger.subarray(10, 10 + bytes.length))).toMatchObject({ ok: true, format: "png" });
  });

  it("takes a JPEG with what cameras append after its end, and with fill bytes between its segments", async () => {
    const bytes = await picture().jpeg().toBuffer();
    expect(inspectImage(Buffer.concat([bytes, Buffer.alloc(500), text("trailer")]))).toMatchObject({ ok: true });
    const filled = Buffer.concat([bytes.subarray(0, 2), Buffer.from([0xff, 0xff]), bytes.subarray(2)]);
    expect(inspectImage(filled)).toMatchObject({ ok: true, width: 37, height: 21 });
  });

  it("goes by the magic number of bytes that are followed by anything else", async () => {
    const bytes = await picture().png().toBuffer();
    expect(inspectImage(Buffer.concat([bytes, text("<html>")]))).toMatchObject({ ok: true, format: "png" });
  });
});

describe("a damaged image", () => {
  it("does not take a thumbnail's end marker for the end of a JPEG that is cut off", async () => {
    const thumbnail = await picture(8, 8).jpeg().toBuffer();
    const bytes = await picture(200, 200).jpeg().toBuffer();
    const length = thumbnail.length + 2;
    const segment = Buffer.concat([Buffer.from([0xff, 0xe1, length >> 8, length & 0xff]), thumbnail]);
    const whole = Buffer.concat([bytes.subarray(0, 2), segment, bytes.subarray(2)]);
    expect(inspectImage(whole)).toMatchObject({ ok: true, width: 200, height: 200 });
    expect(message(whole.subarray(0, whole.length - 2))).toContain("This JPEG is damaged: it is cut off");
  });

  it("names an image without width or height", async () => {
    const bytes = await picture().png().toBuffer();
    bytes.writeUInt32BE(0, 16);
    expect(message(bytes)).toContain("0 × 21 pixels");
  });

  it("names segments, chunks and blocks that do not join up", async () => {
    const jpeg = await picture().jpeg().toBuffer();
    jpeg.writeUInt16BE(1, 4);
    expect(message(jpeg)).toContain("do not join up");
    const gif = await picture().gif().toBuffer();
    const unknownBlock = Buffer.concat([gif.subarray(0, gif.length - 1), Buffer.from([0x99])]);
    expect(message(unknownBlock)).toContain("do not join up");
    expect(message(text("\x89PNG\r\n\x1a\n".padEnd(60, "x")))).not.toBe("ok");
  });

  it("names an image without pixels", () => {
    const webp = Buffer.from("RIFF\x04\0\0\0WEBP", "latin1");
    expect(message(webp)).toContain("This WebP is damaged: it has no pixels");
    expect(message(Buffer.from([0xff, 0xd8, 0xff, 0xd9, 0, 0]))).toContain("it ends before its pixels begin");
  });

  it("survives any bytes behind any magic number", () => {
    const heads = ["\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF89a", "RIFF\x10\0\0\0WEBP", "RIFF\x10\0\0\0WEBPVP8X"];
    for (const head of heads) {
      for (const byte of [0x00, 0x01, 0x2c, 0x21, 0x7f, 0x80, 0xff]) {
        for (const length of [0, 1, 5, 20, 1_000]) {
          const bytes = Buffer.concat([Buffer.from(head, "latin1"), Buffer.alloc(length, byte)]);
          expect(inspectImage(bytes).ok).toBe(false);
        }
      }
    }
  });
});

describe("what OpenAI does not take", () => {
  it("names an animated GIF and counts its frames", async () => {
    const bytes = await animatedGif(3);
    expect(inspectImage(bytes)).toEqual({
      ok: false,
      code: "unsupported_image",
      message: "This is an animated GIF of 3 frames. PNG, JPEG, WebP and non-animated GIF work.",
    });
  });

  it("names other pictures and says what works instead", async () => {
    const pictures: [string, Buffer][] = [
      ["a TIFF image", await picture().tiff().toBuffer()],
      ["an AVIF image", await picture().avif().toBuffer()],
      ["a HEIC image", text("\0\0\0\x18ftypheic\0\0\0\0mif1heic")],
      ["a BMP image", Buffer.concat([text("BM"), Buffer.alloc(52, 1), Buffer.alloc(4)])],
      ["an ICO icon", Buffer.from([0, 0, 1, 0, 1, 0, 16, 16])],
      ["a PDF document", text("%PDF-1.7\n%âãÏÓ")],
      ["a JPEG XL image", Buffer.from([0xff, 0x0a, 0x10])],
      ["an SVG image", text('<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>')],
      ["an SVG image", text("\ufeff  <svg>")],
    ];
    for (const [name, bytes] of pictures) {
      const inspection = inspectImage(bytes);
      expect(inspection).toMatchObject({ ok: false, code: "unsupported_image" });
      expect(message(bytes)).toContain(`This is ${name}`);
      expect(message(bytes)).toContain("PNG, JPEG, WebP and non-animated GIF work.");
    }
  });

  it("names what came in by mistake", () => {
    const mistakes: [string, Buffer][] = [
      ["it has 0 bytes", Buffer.alloc(0)],
      ["text", text("just some notes, saved as cat.jpg")],
      ["text", text("BMW makes cars")],
      ["an HTML page", text("<!DOCTYPE html><html><body>403 Forbidden")],
      ["an HTML page", text("\n<!-- proxy -->\n<html lang=en>")],
      ["an XML document", text("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>")],
      ["JSON", text('{"error": "not found"}')],
      ["a data URL", text("data:image/png;base64,iVBORw0KGgo=")],
      ["still in base64", text("/9j/4AAQSkZJRgABAQ")],
      ["a ZIP archive", text("PK\x03\x04rest")],
      ["an MP4 or QuickTime video", text("\0\0\0\x18ftypisom")],
      ["nothing but zero bytes", Buffer.alloc(300)],
      ["no image format that is known", Buffer.from([1, 2, 3, 4, 5])],
    ];
    for (const [name, bytes] of mistakes) {
      expect(inspectImage(bytes)).toMatchObject({ ok: false, code: "invalid_image" });
      expect(message(bytes)).toContain(name);
      expect(message(bytes)).toContain("PNG, JPEG, WebP and non-animated GIF work.");
    }
  });

  it("refuses one byte over 20 MB, whatever it is", async () => {
    const png = await picture().png().toBuffer();
    const padded = Buffer.concat([png, Buffer.alloc(maxImageBytes - png.length)]);
    expect(padded.length).toBe(20 * 1024 * 1024);
    expect(inspectImage(padded)).toMatchObject({ ok: true });
    expect(inspectImage(Buffer.concat([padded, Buffer.alloc(1)]))).toMatchObject({ code: "image_too_large" });
  });
});
