import { inspectImage } from "@tollgate/core/image/content";
import { readImageHeader } from "@tollgate/core/image/image";
import { InlineImage } from "@tollgate/core/image/inline-image";
import { createShrink } from "@tollgate/core/image/sharp";
import { type Shrink, shrinkImages } from "@tollgate/core/image/shrink";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { pngOf } from "../budget/picture.ts";

type Call = Parameters<typeof shrinkImages>[1];

const callWith = (url: unknown, { model = "gpt-4o", detail }: { model?: string; detail?: string } = {}) =>
  ({
    model,
    params: {
      model,
      messages: [
        { role: "system", content: "Describe it." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url, ...(detail && { detail }) } },
          ],
        },
      ],
      seed: 7,
    },
  }) as unknown as Call;

/** The image that a call shows. */
function shownIn({ params }: Call): unknown {
  const content = params.messages[1]?.content as unknown as { image_url: { url: unknown } }[];
  return content[1]?.image_url.url;
}

/** With noise, so that it takes space. */
const photo = (width: number, height: number) =>
  sharp({
    create: { width, height, channels: 3, background: "teal", noise: { type: "gaussian", mean: 128, sigma: 20 } },
  });
const inlineOf = (bytes: Buffer) => inspectImage(bytes, undefined).url;

const shrunk = async (image: InlineImage, options: Parameters<typeof callWith>[1] = {}) => {
  const found = shownIn(await shrinkImages(createShrink(), callWith(image, options)));
  if (!(found instanceof InlineImage)) throw new Error("The call shows no image.");
  return found;
};

describe("an image that is larger than a model sees it", () => {
  test.each([
    ["jpeg", "high", { width: 1152, height: 768 }],
    ["jpeg", "low", { width: 512, height: 341 }],
    ["png", "auto", { width: 1152, height: 768 }],
    ["webp", undefined, { width: 1152, height: 768 }],
  ] as const)("is sent as a smaller %s, at detail %s", async (format, detail, size) => {
    const image = inlineOf(await photo(2400, 1600).toFormat(format).toBuffer());
    const sent = await shrunk(image, { ...(detail && { detail }) });
    expect(sent.header).toEqual({ format, ...size });
    expect(readImageHeader(sent.bytes)).toEqual({ ok: true, format, ...size });
    expect(sent.bytes.length).toBeLessThan(image.bytes.length / 2);
  });

  test.each(["jpeg", "png", "webp"] as const)(
    "keeps its orientation as a %s, which its pixels do not follow",
    async (format) => {
      const image = inlineOf(await photo(2400, 1600).withMetadata({ orientation: 6 }).toFormat(format).toBuffer());
      const { bytes } = await shrunk(image);
      expect(await sharp(bytes).metadata()).toMatchObject({ width: 1152, height: 768, orientation: 6 });
    },
  );

  test("keeps what it shows", async () => {
    const red = { create: { width: 1000, height: 1000, channels: 3 as const, background: "red" } };
    const noise = { input: await photo(2000, 1000).png().toBuffer(), blend: "soft-light" as const };
    const picture = sharp({ create: { width: 2000, height: 1000, channels: 3, background: "blue" } });
    const composite = picture.composite([{ input: red, left: 0, top: 0 }, noise]);
    const { bytes } = await shrunk(inlineOf(await composite.jpeg({ quality: 100 }).toBuffer()));
    const dominantIn = async (left: number) => {
      const part = await sharp(bytes).extract({ left, top: 0, width: 700, height: 768 }).toBuffer();
      return (await sharp(part).stats()).dominant;
    };
    const [left, right] = [await dominantIn(0), await dominantIn(836)];
    expect(left.r).toBeGreaterThan(left.b + 100);
    expect(right.b).toBeGreaterThan(right.r + 100);
  });

  test("leaves the rest of the call as it was", async () => {
    const call = callWith(inlineOf(await photo(2400, 1600).jpeg().toBuffer()), { detail: "high" });
    const sent = await shrinkImages(createShrink(), call);
    const withoutImage = ({ params, ...rest }: Call) => [
      JSON.stringify({ ...rest, params }, (_, value) => (value instanceof InlineImage ? "" : value)),
    ];
    expect(withoutImage(sent)).toEqual(withoutImage(call));
  });
});

describe("an image is sent as it came", () => {
  const never: Shrink = () => {
    throw new Error("It was shrunk.");
  };
  const sentBy = async (shrink: Shrink | undefined, url: unknown, options = {}) =>
    shownIn(await shrinkImages(shrink, callWith(url, options)));
  const large = { format: "jpeg" as const, width: 6000, height: 4000 };

  test("when the stage does not shrink", async () => {
    const image = new InlineImage(Buffer.alloc(100), large);
    expect(await sentBy(undefined, image)).toBe(image);
  });

  test.each([
    ["is no larger than the model sees it", { ...large, width: 640, height: 480 }, "gpt-4o"],
    ["goes to a model whose rule is not known", large, "llava"],
    ["is a GIF", { ...large, format: "gif" as const }, "gpt-4o"],
  ])("when it %s", async (_, header, model) => {
    const image = new InlineImage(Buffer.alloc(100), header);
    expect(await sentBy(never, image, { model })).toBe(image);
  });

  test("when it would not be fewer bytes", async () => {
    const image = new InlineImage(Buffer.alloc(100), large);
    expect(await sentBy(async () => Buffer.alloc(100), image)).toBe(image);
  });

  test("when it cannot be read", async () => {
    const image = new InlineImage(Buffer.alloc(100), large);
    expect(await sentBy(createShrink(), image)).toBe(image);
  });

  test("when it has more pixels than a function has memory for", async () => {
    const bytes = Buffer.from(pngOf(8_000, 6_300).split(",")[1] ?? "", "base64");
    const image = new InlineImage(bytes, { format: "png", width: 8_000, height: 6_300 });
    expect(await sentBy(createShrink(), image)).toBe(image);
  });

  test("when it is text, or OpenAI's to fetch", async () => {
    for (const url of ["data:image/png;base64,AAAA", "https://example.com/cat.png"]) {
      expect(await sentBy(never, url)).toBe(url);
    }
  });
});

test("a stage that shrinks, but has no sharp, does not go on as if it did", async () => {
  const image = new InlineImage(Buffer.alloc(100), { format: "jpeg", width: 6000, height: 4000 });
  const shrink = createShrink(() => Promise.reject(new Error("not installed")));
  await expect(shrinkImages(shrink, callWith(image))).rejects.toThrow("not installed");
});

test("one that cannot be read does not keep the next from being shrunk", async () => {
  const shrink = createShrink();
  const size = { width: 100, height: 50 };
  const broken = shrink(Buffer.from("no image"), "png", size);
  const next = shrink(await photo(200, 100).png().toBuffer(), "png", size);
  expect(await broken).toBeNull();
  expect(readImageHeader((await next) ?? Buffer.alloc(0))).toEqual({ ok: true, format: "png", ...size });
});
