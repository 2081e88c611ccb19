import type { ImageFormat } from "@tollgate/core/image/image";
import { InlineImage } from "@tollgate/core/image/inline-image";
import { bodyOf } from "@tollgate/core/openai/body";
import fc from "fast-check";
import { expect, test } from "vitest";

type Params = Parameters<typeof bodyOf>[0]["params"];

/** A request with images, which is no text. */
function streamOf(params: Params) {
  const body = bodyOf({ params });
  if (typeof body === "string") throw new Error("This body is one text.");
  return body;
}

interface Image {
  bytes: Buffer;
  format: ImageFormat;
}

/** As much of a request as matters here: texts and images, in any order. */
interface Request {
  model: string;
  messages: (string | Image)[][];
  user: string;
}

const text = fc.string({ unit: "binary", maxLength: 200 });
/** Of any length around those at which base64 pads, and around those at which a piece ends. */
const bytes = fc
  .tuple(fc.integer({ min: 0, max: 150_000 }), fc.uint8Array({ minLength: 1, maxLength: 100 }))
  .map(([length, pattern]) => Buffer.alloc(length, pattern));
const image: fc.Arbitrary<Image> = fc.record({ bytes, format: fc.constantFrom("jpeg", "png", "webp", "gif") });
const request: fc.Arbitrary<Request> = fc
  .record({
    model: text,
    messages: fc.array(fc.array(fc.oneof(text, image), { maxLength: 4 }), { maxLength: 4 }),
    shown: image,
    user: text,
  })
  .map(({ shown, messages, ...rest }) => ({ ...rest, messages: [...messages, [shown]] }));

/** OpenAI's request, with images as `url` has them. */
const paramsOf = ({ messages, ...rest }: Request, url: (image: Image) => unknown) =>
  ({
    ...rest,
    messages: messages.map((parts) => ({
      role: "user",
      content: parts.map((part) =>
        typeof part === "string"
          ? { type: "text", text: part }
          : { type: "image_url", image_url: { url: url(part), detail: "high" } },
      ),
    })),
  }) as unknown as Params;

const inline = ({ bytes, format }: Image) => new InlineImage(bytes, { format, width: 1, height: 1 });
const asText = ({ bytes, format }: Image) => `data:image/${format};base64,${bytes.toString("base64")}`;

/** As they go out: a piece lasts until the next is asked for. */
const sent = (body: ReturnType<typeof streamOf>): string[] => Array.from(body.pieces(), (piece) => piece.toString());

test("its pieces are the JSON of the ordinary request, to the byte, whatever stands around the images", () => {
  fc.assert(
    fc.property(request, (given) => {
      const body = streamOf(paramsOf(given, inline));
      const ordinary = JSON.stringify(paramsOf(given, asText));
      expect(sent(body).join("")).toBe(ordinary);
      expect(body.contentLength).toBe(Buffer.byteLength(ordinary));
    }),
  );
});

test("is the same each time that it is sent", () => {
  const photo = { bytes: Buffer.alloc(100_000, "photo"), format: "png" as const };
  const body = streamOf(paramsOf({ model: "gpt-4o", messages: [["What is this?", photo]], user: "me" }, inline));
  const first = sent(body);
  expect(first.length).toBeGreaterThan(3);
  expect(sent(body)).toEqual(first);
});

test("has no piece near the size of an image", () => {
  const image = inline({ bytes: Buffer.alloc(20 * 1024 * 1024), format: "png" });
  const content = [{ type: "image_url", image_url: { url: image } }];
  const body = streamOf({ model: "gpt-4o", messages: [{ role: "user", content }] } as unknown as Params);
  const lengths = sent(body).map(({ length }) => length);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(64 * 1024);
});

test.each([
  ["text alone", "Hello"],
  ["no content", null],
  ["parts of text", [{ type: "text", text: "Hello" }]],
  ["an image at a URL", [{ type: "image_url", image_url: { url: "https://example.com/cat.png" } }]],
  ["an image as text", [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }]],
  [
    "parts that only OpenAI could judge",
    [null, 1, "text", {}, { image_url: null }, { image_url: "https://example.com" }],
  ],
])("is one text for %s", (_, content) => {
  const params = { model: "gpt-4o", messages: [{ role: "user", content }] } as unknown as Params;
  expect(bodyOf({ params })).toBe(JSON.stringify(params));
});

test("has the members that its caller wrote as they were written, with and without images", () => {
  const tools = '[ {"n": 12345678901234567890, "2": 1, "1": 2.0} ]';
  const verbatim = { members: { tools } };
  for (const url of ["https://example.com/cat.png", inline({ bytes: Buffer.from("photo"), format: "png" })]) {
    const content = [{ type: "image_url", image_url: { url } }];
    const params = { model: "gpt-4o", tools: [], messages: [{ role: "user", content }] } as unknown as Params;
    const body = bodyOf({ params, verbatim });
    const text = typeof body === "string" ? body : sent(body).join("");
    expect(text).toMatch(/,"tools":\[ \{"n": 12345678901234567890, "2": 1, "1": 2\.0\} \]\}$/);
    expect(Object.keys(JSON.parse(text))).toEqual(["model", "messages", "tools"]);
    if (typeof body !== "string") expect(body.contentLength).toBe(Buffer.byteLength(text));
  }
});
