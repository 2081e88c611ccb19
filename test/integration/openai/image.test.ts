import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { dataUrl, showing, simulate, wire } from "./simulation.ts";

const openai = await simulate();
const solid = (background: string, width = 640, height = 480) =>
  sharp({ create: { width, height, channels: 3, background } });

async function about(url: string) {
  const response = await openai.post(showing(url, { response_format: { type: "json_object" } }));
  const body = await wire(response);
  return response.status === 200
    ? { status: 200, ...JSON.parse(body.choices[0]?.message.content ?? "") }
    : { status: response.status, ...body.error };
}

describe("a picture", () => {
  it("that is solid red is told by its true format, size, brightness and colour", async () => {
    const bytes = await solid("#ff0000").png().toBuffer();
    expect(await about(dataUrl(bytes, "image/png"))).toMatchObject({
      format: "png",
      width: 640,
      height: 480,
      size_bytes: bytes.length,
      // Rec. 709 gives red a weight of 0.2126.
      brightness: 0.21,
      dominant_colors: ["red"],
    });
  });

  it.each(["png", "jpeg", "webp", "gif"] as const)(
    "is taken as %s, whatever type its data URL claims",
    async (format) => {
      const bytes = await solid("#1e46d2", 80, 60).toFormat(format).toBuffer();
      expect(await about(dataUrl(bytes, "image/png"))).toMatchObject({
        format,
        width: 80,
        height: 60,
        dominant_colors: ["blue"],
      });
    },
  );

  it("conveys a positive mood when bright and a negative one when dark", async () => {
    expect(await about(dataUrl(await solid("#ffffff").png().toBuffer(), "image/png"))).toMatchObject({
      sentiment: "positive",
    });
    expect(await about(dataUrl(await solid("#000000").png().toBuffer(), "image/png"))).toMatchObject({
      sentiment: "negative",
    });
  });

  it("is refused in another format", async () => {
    const tiff = dataUrl(await solid("#ffffff", 8, 8).tiff().toBuffer(), "image/png");
    const svg = dataUrl(Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"), "image/svg+xml");
    const noise = dataUrl(Buffer.from("no picture at all"), "image/png");
    for (const url of [tiff, svg, noise])
      expect(await about(url)).toMatchObject({ status: 400, code: "invalid_image_format" });
  });

  it("is refused as an animated gif", async () => {
    const frames = await Promise.all(["#ff0000", "#00ff00"].map((color) => solid(color, 16, 16).png().toBuffer()));
    const gif = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    expect(await about(dataUrl(gif, "image/gif"))).toMatchObject({ status: 400, code: "invalid_image_format" });
  });

  it.each(["png", "jpeg", "webp"] as const)("is refused when its %s is truncated", async (format) => {
    const noise = { type: "gaussian" as const, mean: 128, sigma: 40 };
    const whole = await sharp({ create: { width: 200, height: 200, channels: 3, background: "#fff", noise } })
      .toFormat(format)
      .toBuffer();
    const half = whole.subarray(0, whole.length / 2);
    expect(await about(dataUrl(half, `image/${format}`))).toMatchObject({
      status: 400,
      code: "image_parse_error",
      param: "messages[0].content[1].image_url",
    });
  });

  it("is refused over 20 MB", async () => {
    const large = Buffer.concat([await solid("#fff", 8, 8).png().toBuffer(), Buffer.alloc(20 * 1024 * 1024)]);
    expect(await about(dataUrl(large, "image/png"))).toMatchObject({ status: 400, code: "image_file_too_large" });
  });

  it.each([
    ["data:image/png;base64,@@@@", "invalid_base64_image"],
    ["data:image/png;base64,", "invalid_base64_image"],
    ["data:image/png;base64,abc", "invalid_base64_image"],
    ["data:text/plain;base64,aGk=", "invalid_value"],
    ["data:image/png,aGk=", "invalid_value"],
    ["cat.png", "invalid_value"],
  ])("is refused as %s", async (url, code) => {
    expect(await about(url)).toMatchObject({ status: 400, code, param: "messages[0].content[1].image_url.url" });
  });

  it("is refused at detail original by a model that does not take it", async () => {
    const url = dataUrl(await solid("#fff", 8, 8).png().toBuffer(), "image/png");
    expect((await openai.post(showing(url, { model: "gpt-4o" }, "original"))).status).toBe(400);
    expect((await openai.post(showing(url, { model: "gpt-5.5" }, "original"))).status).toBe(200);
  });

  it("is refused by a model without vision", async () => {
    const url = dataUrl(await solid("#fff", 8, 8).png().toBuffer(), "image/png");
    const response = await openai.post(showing(url, { model: "o3-mini" }));
    expect(response.status).toBe(400);
    expect((await wire(response)).error.message).toMatch(/image_url is only supported by certain models/);
  });
});

const picture = await solid("#28962f", 32, 32).png().toBuffer();

describe("a picture's URL", () => {
  const files = createServer((request, response) => {
    if (request.url === "/moved.png") response.writeHead(302, { location: "http://example.com/x.png" }).end();
    else if (request.url === "/green.png") response.end(picture);
    else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  afterAll(() => void files.close());
  const base = () => `http://127.0.0.1:${(files.address() as AddressInfo).port}`;

  it("is fetched from loopback", async () => {
    expect(await about(`${base()}/green.png`)).toMatchObject({ width: 32, dominant_colors: ["green"] });
  });

  it.each(["https://example.com/cat.jpg", "http://169.254.169.254/latest", "http://127.0.0.1.example.com/a.png"])(
    "is refused at %s without leaving the machine",
    async (url) => {
      expect(await about(url)).toMatchObject({
        status: 400,
        code: "invalid_image_url",
        message: `Error while downloading ${url}.`,
      });
    },
  );

  it("is refused when it is missing or leads elsewhere", async () => {
    for (const path of ["/none.png", "/moved.png"])
      expect(await about(base() + path)).toMatchObject({ status: 400, code: "invalid_image_url" });
  });
});
