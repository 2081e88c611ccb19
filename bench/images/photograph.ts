import { join } from "node:path";
import sharp from "sharp";

/** As of a camera with 24 megapixels. */
const size = { width: 6_000, height: 4_000 };

/** A JPEG as large as its limit lets it be: a photograph, enlarged, with the noise of a sensor, at the best quality that fits. */
export async function photograph(root: string, maxBytes: number): Promise<Buffer> {
  const noise = await sharp({
    create: { ...size, channels: 3, background: "gray", noise: { type: "gaussian", mean: 128, sigma: 12 } },
  })
    .png({ compressionLevel: 0 })
    .toBuffer();
  const pixels = await sharp(join(root, "examples/photos/rocket.jpg"))
    .resize({ ...size, fit: "cover" })
    .composite([{ input: noise, blend: "soft-light" }])
    .raw()
    .toBuffer();
  for (let quality = 100; quality > 0; quality--) {
    const jpeg = await sharp(pixels, { raw: { ...size, channels: 3 } })
      .jpeg({ quality })
      .toBuffer();
    if (jpeg.length <= maxBytes) return jpeg;
  }
  throw new Error(`No photograph of ${size.width} × ${size.height} pixels has at most ${maxBytes} bytes.`);
}
