import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { maxImageBytes, readImageHeader } from "../../../packages/core/src/image/image.ts";

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
  const inspection = readImageHeader(bytes);
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
      expect(readImageHeader(bytes)).toEqual({ ok: true, format, width, height });
    });

    it(`refuses ${name} at whatever byte it is cut off, unless every pixel is left`, async () => {
      const bytes = await encode().toBuffer();
      // Without its IEND chunk of 12 bytes, or its trailer of one, every decoder shows the whole of it.
      const ending = name.includes("PNG") ? 12 : name === "a GIF" ? 1 : 0;
      for (let length = bytes.length - ending; length < bytes.length; length += 1) {
        expect(readImageHeader(bytes.subarray(0, length)), `${length} of ${bytes.length} bytes`).toMatchObject({
          ok: true,
        });
      }
      for (let length = 0; length < bytes.length - ending; length += 1) {
        expect(readImageHeader(bytes.subarray(0, length)), `${length} of ${bytes.length} bytes`).toMatchObject({
          ok: false,
          code: "invalid_image",
        });
      }
    });
  }

  it("measures the largest sides that a format can have", async () => {
    const bytes = await picture(16_383, 1).webp().toBuffer();
    expect(readImageHeader(bytes)).toMatchObject({ ok: true, width: 16_383, height: 1 });
  });

  it("looks at a view into a larger buffer, not at the buffer", async () => {
    const bytes = await picture().png().toBuffer();
    const larger = new Uint8Array(bytes.length + 20);
    larger.set(bytes, 10);
    expect(readImageHeader(larger.subarray(10, 10 + bytes.length))).toMatchObject({ ok: true, format: "png" });
  });

  it("takes a JPEG with what cameras append after its end, and with fill bytes between its segments", async () => {
    const bytes = await picture().jpeg().toBuffer();
    expect(readImageHeader(Buffer.concat([bytes, Buffer.alloc(500), text("trailer")]))).toMatchObject({ ok: true });
    const filled = Buffer.concat([bytes.subarray(0, 2), Buffer.from([0xff, 0xff]), bytes.subarray(2)]);
    expect(readImageHeader(filled)).toMatchObject({ ok: true, width: 37, height: 21 });
  });

  it("goes by the magic number of bytes that are followed by anything else", async () => {
    const bytes = await picture().png().toBuffer();
    expect(readImageHeader(Buffer.concat([bytes, text("<html>")]))).toMatchObject({ ok: true, format: "png" });
  });
});

/** Pictures with something to see, in every shape that sharp writes. */
const photographs = async () => {
  const pixels = Buffer.from(Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * i + (i >> 4)) % 256));
  const photo = () => sharp(pixels, { raw: { width: 64, height: 48, channels: 3 } });
  const made = [
    photo().png(),
    photo().png({ progressive: true, palette: true }),
    photo().jpeg(),
    photo().jpeg({ progressive: true }),
    photo().withMetadata({ orientation: 6 }).jpeg(),
    photo().webp(),
    photo().webp({ lossless: true }),
    photo().ensureAlpha(0.5).withMetadata().webp(),
    photo().gif(),
  ];
  return Promise.all(made.map((one) => one.toBuffer()));
};

/** Behind the magic number, by which a file is a picture at all. */
const magicBytes = 12;

describe("a picture that has been tampered with", () => {
  it("is damaged only if sharp cannot decode it without an error", { timeout: 60_000 }, async () => {
    const originals = await photographs();
    const where = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 20 });
    const mutation = fc.oneof(
      fc.record({ how: fc.constant("cut off"), where, bytes }),
      fc.record({ how: fc.constant("cut off at the end"), where: fc.integer({ min: 1, max: 40 }), bytes }),
      fc.record({ how: fc.constantFrom("insert", "replace", "remove", "append"), where, bytes }),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...originals), mutation, async (original, { how, where, bytes }) => {
        const at = magicBytes + Math.floor(where * (original.length - magicBytes));
        const [before, after] = [original.subarray(0, at), original.subarray(at)];
        const tampered = {
          "cut off": () => before,
          "cut off at the end": () => original.subarray(0, original.length - where),
          insert: () => Buffer.concat([before, bytes, after]),
          replace: () => Buffer.concat([before, bytes, after.subarray(bytes.length)]),
          remove: () => Buffer.concat([before, after.subarray(bytes.length)]),
          append: () => Buffer.concat([original, bytes]),
        }[how]?.() as Buffer;
        const inspection = readImageHeader(tampered);
        if (inspection.ok || inspection.code === "unsupported_image") return;
        const decoded = await sharp(tampered, { failOn: "error" })
          .raw()
          .toBuffer()
          .then(
            () => true,
            () => false,
          );
        expect(decoded, inspection.message).toBe(false);
      }),
      { seed: 13, numRuns: 1_000 },
    );
  });

  it("may have stray bytes between the segments of a JPEG, and after its start", async () => {
    const bytes = await picture().jpeg().toBuffer();
    for (const stray of ["\0", "\x2a\x2a\x2a", "\xff\xff\xff", "\xff\0\x07"]) {
      for (const marker of ["\xff\xe0", "\xff\xdb", "\xff\xc0", "\xff\xc4", "\xff\xda"]) {
        const at = bytes.indexOf(marker, 2, "latin1");
        if (at === -1) continue;
        const strewn = Buffer.concat([bytes.subarray(0, at), Buffer.from(stray, "latin1"), bytes.subarray(at)]);
        await sharp(strewn, { failOn: "error" }).raw().toBuffer();
        expect(readImageHeader(strewn)).toMatchObject({ ok: true, width: 37, height: 21 });
      }
    }
  });

  it("may have bytes in a GIF that are no block, which decoders skip", async () => {
    const gif = await picture().gif().toBuffer();
    const strewn = Buffer.concat([gif.subarray(0, gif.length - 1), Buffer.from([0x99, 0, 0x3b])]);
    expect(readImageHeader(strewn)).toMatchObject({ ok: true, width: 37, height: 21 });
  });

  it("is cut off, in a PNG of several chunks of pixels, when the last of them is missing", async () => {
    const png = await picture(400, 300).png({ compressionLevel: 0 }).toBuffer();
    const lastChunk = png.lastIndexOf("IDAT") - 4;
    expect(png.indexOf("IDAT")).toBeLessThan(lastChunk);
    expect(message(png.subarray(0, lastChunk))).toContain("This PNG is damaged: it is cut off");
    expect(readImageHeader(png.subarray(0, png.length - 12))).toMatchObject({ ok: true, width: 400, height: 300 });
  });
});

describe("the size of an image that says two", () => {
  const uint32 = (...numbers: number[]) =>
    Buffer.concat(numbers.map((n) => Buffer.from([n >>> 24, n >> 16, n >> 8, n])));
  const chunk = (type: string, data: Buffer) => Buffer.concat([uint32(data.length), text(type), data, uint32(0)]);
  const webpOf = (...chunks: Buffer[]) => {
    const body = Buffer.concat([text("WEBP"), ...chunks]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(body.length);
    return Buffer.concat([text("RIFF"), size, body]);
  };
  const riff = (type: string, data: Buffer) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(data.length);
    return Buffer.concat([text(type), size, data, Buffer.alloc(data.length % 2)]);
  };
  const uint24 = (n: number) => Buffer.from([n & 0xff, (n >> 8) & 0xff, n >> 16]);

  it("is that of a GIF's frame, where it reaches beyond the screen", async () => {
    const gif = await picture(320, 200).gif().toBuffer();
    gif.writeUInt16LE(1, 6);
    gif.writeUInt16LE(1, 8);
    expect(readImageHeader(gif)).toMatchObject({ ok: true, width: 320, height: 200 });
    const frame = gif.indexOf("\x2c\0\0\0\0", 13, "latin1");
    gif.writeUInt16LE(1_000, frame + 1);
    expect(readImageHeader(gif)).toMatchObject({ ok: true, width: 1_320, height: 200 });
  });

  it("is that of a GIF's screen, where that is larger", async () => {
    const gif = await picture(32, 20).gif().toBuffer();
    gif.writeUInt16LE(3_000, 8);
    expect(readImageHeader(gif)).toMatchObject({ ok: true, width: 32, height: 3_000 });
  });

  it("is the larger of a WebP's canvas and the picture inside", async () => {
    for (const lossless of [true, false]) {
      const inner = (await picture(300, 200).webp({ lossless }).toBuffer()).subarray(12);
      const extended = (width: number, height: number) =>
        webpOf(riff("VP8X", Buffer.concat([Buffer.alloc(4), uint24(width - 1), uint24(height - 1)])), inner);
      expect(readImageHeader(extended(1, 1))).toMatchObject({ ok: true, width: 300, height: 200 });
      expect(readImageHeader(extended(4_000, 100))).toMatchObject({ ok: true, width: 4_000, height: 200 });
    }
  });

  it("is that of the largest frame of an animated WebP", async () => {
    const inner = (await picture(300, 200).webp().toBuffer()).subarray(12);
    const frame = Buffer.concat([
      uint24(10),
      uint24(0),
      uint24(299),
      uint24(199),
      uint24(100),
      Buffer.from([0]),
      inner,
    ]);
    const canvas = riff("VP8X", Buffer.concat([Buffer.from([2, 0, 0, 0]), uint24(0), uint24(0)]));
    expect(readImageHeader(webpOf(canvas, riff("ANMF", frame)))).toMatchObject({ ok: true, width: 320, height: 200 });
  });

  it("is the largest of a PNG's headers and of the frames of an animated one", async () => {
    const png = await picture(30, 20).png().toBuffer();
    const before = png.indexOf("IDAT") - 4;
    const withChunk = (added: Buffer) => Buffer.concat([png.subarray(0, before), added, png.subarray(before)]);
    expect(readImageHeader(withChunk(chunk("IHDR", uint32(2_000, 10))))).toMatchObject({ width: 2_000, height: 20 });
    const frame = chunk("fcTL", Buffer.concat([uint32(0, 500, 600, 7, 0), Buffer.alloc(6)]));
    expect(readImageHeader(withChunk(frame))).toMatchObject({ ok: true, width: 507, height: 600 });
  });

  it("is the largest of a JPEG's frame headers, and of the height that follows its pixels", async () => {
    const jpeg = await picture(30, 20).jpeg().toBuffer();
    const frame = jpeg.indexOf("\xff\xc0", 0, "latin1");
    const header = Buffer.from(jpeg.subarray(frame, frame + 2 + jpeg.readUInt16BE(frame + 2)));
    header.writeUInt16BE(2_000, 5);
    for (const at of [frame, jpeg.indexOf("\xff\xda", 0, "latin1"), jpeg.length - 2]) {
      const twice = Buffer.concat([jpeg.subarray(0, at), header, jpeg.subarray(at)]);
      expect(readImageHeader(twice)).toMatchObject({ ok: true, width: 30, height: 2_000 });
    }
    const lines = Buffer.concat([jpeg.subarray(0, -2), Buffer.from([0xff, 0xdc, 0, 4, 0x0b, 0xb8]), jpeg.subarray(-2)]);
    lines.writeUInt16BE(0, frame + 5);
    expect(readImageHeader(lines)).toMatchObject({ ok: true, width: 30, height: 3_000 });
  });
});

describe("a damaged image", () => {
  it("does not take a thumbnail's end marker for the end of a JPEG that is cut off", async () => {
    const thumbnail = await picture(8, 8).jpeg().toBuffer();
    const bytes = await picture(200, 200).jpeg().toBuffer();
    const length = thumbnail.length + 2;
    const segment = Buffer.concat([Buffer.from([0xff, 0xe1, length >> 8, length & 0xff]), thumbnail]);
    const whole = Buffer.concat([bytes.subarray(0, 2), segment, bytes.subarray(2)]);
    expect(readImageHeader(whole)).toMatchObject({ ok: true, width: 200, height: 200 });
    expect(message(whole.subarray(0, whole.length - 2))).toContain("This JPEG is damaged: it is cut off");
  });

  it("names an image without width or height", async () => {
    const bytes = await picture().png().toBuffer();
    bytes.writeUInt32BE(0, 16);
    expect(message(bytes)).toContain("0 × 21 pixels");
  });

  it("names a JPEG whose segments do not join up", async () => {
    const jpeg = await picture().jpeg().toBuffer();
    jpeg.writeUInt16BE(1, 4);
    expect(message(jpeg)).toContain("do not join up");
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
          expect(readImageHeader(bytes).ok).toBe(false);
        }
      }
    }
  });
});

/** A TGA of 4 × 3 pixels without a signature. */
function tga(type: number, depth: number, pixels: Buffer): Buffer {
  const header = Buffer.alloc(18);
  header[2] = type;
  header.writeUInt16LE(4, 12);
  header.writeUInt16LE(3, 14);
  header[16] = depth;
  return Buffer.concat([header, pixels]);
}

describe("what OpenAI does not take", () => {
  it("names an animated GIF and counts its frames", async () => {
    const bytes = await animatedGif(3);
    expect(readImageHeader(bytes)).toEqual({
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
      ["an AVIF image", text("\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf")],
      ["an AVIF image", text("\0\0\0\x1cftypavis\0\0\0\0msf1miaf")],
      ["a HEIC image", text("\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf")],
      ["a HEIF image", text("\0\0\0\x18ftypmif1\0\0\0\0mif1miaf")],
      ["a BigTIFF image", await picture().tiff({ bigtiff: true }).toBuffer()],
      ["a JPEG 2000 image", text("\0\0\0\x0cjP  \r\n\x87\n")],
      ["a JPEG 2000 image", Buffer.from([0xff, 0x4f, 0xff, 0x51, 0, 47])],
      ["a JPEG XL image", text("\0\0\0\x0cJXL \r\n")],
      ["a JPEG XR image", Buffer.from([0x49, 0x49, 0xbc, 1])],
      ["a Photoshop file", text("8BPS\0\x01\0\0")],
      ["a GIMP file", text("gimp xcf file\0")],
      ["a PNM image", text("P6\n# by hand\n2 1\n255\n\x01\x02\x03\x04\x05\x06")],
      ["a PNM image", text("P2 2 1 255\n0 1")],
      ["a PNM image", text("P7\nWIDTH 2\nHEIGHT 1\n")],
      ["an OpenEXR image", Buffer.from([0x76, 0x2f, 0x31, 1, 2, 0])],
      ["a Radiance HDR image", text("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n")],
      ["a QOI image", text("qoif\0\0\0\x02\0\0\0\x02\x03\0")],
      ["a DDS texture", text("DDS \x7c\0\0\0")],
      ["a DICOM image", Buffer.concat([Buffer.alloc(128), text("DICM\x02")])],
      ["a PCX image", Buffer.concat([Buffer.from([10, 5, 1, 8]), Buffer.alloc(124, 0)])],
      ["a TGA image", tga(2, 24, Buffer.alloc(4 * 3 * 3))],
      ["a TGA image", tga(10, 32, Buffer.from([0x8b, 1, 2, 3, 4]))],
      ["a TGA image", Buffer.concat([Buffer.alloc(40, 7), text("TRUEVISION-XFILE.\0")])],
      ["a PostScript file", text("%!PS-Adobe-3.0 EPSF-3.0\n")],
      ["a BMP image", Buffer.concat([text("BM"), Buffer.alloc(52, 1), Buffer.alloc(4)])],
      ["an ICO icon", Buffer.from([0, 0, 1, 0, 1, 0, 16, 16])],
      ["a PDF document", text("%PDF-1.7\n%âãÏÓ")],
      ["a JPEG XL image", Buffer.from([0xff, 0x0a, 0x10])],
      ["an SVG image", text('<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>')],
      ["an SVG image", text("\ufeff  <svg>")],
    ];
    for (const [name, bytes] of pictures) {
      const inspection = readImageHeader(bytes);
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
      // A header like a TGA's, of more pixels than there are bytes, and one of grey in 24 bits.
      ["no image format that is known", tga(2, 24, Buffer.alloc(35))],
      ["no image format that is known", tga(11, 24, Buffer.alloc(12))],
      ["text", text("P6 is a fine flight, and P4 another")],
    ];
    for (const [name, bytes] of mistakes) {
      expect(readImageHeader(bytes)).toMatchObject({ ok: false, code: "invalid_image" });
      expect(message(bytes)).toContain(name);
      expect(message(bytes)).toContain("PNG, JPEG, WebP and non-animated GIF work.");
    }
  });

  it("refuses one byte over 20 MB, whatever it is", async () => {
    const png = await picture().png().toBuffer();
    const padded = Buffer.concat([png, Buffer.alloc(maxImageBytes - png.length)]);
    expect(padded.length).toBe(20 * 1024 * 1024);
    expect(readImageHeader(padded)).toMatchObject({ ok: true });
    const tooLarge = Buffer.concat([padded, Buffer.alloc(1)]);
    expect(readImageHeader(tooLarge)).toMatchObject({ code: "image_too_large" });
    expect(message(tooLarge)).toContain("PNG, JPEG, WebP and non-animated GIF work.");
  });
});
