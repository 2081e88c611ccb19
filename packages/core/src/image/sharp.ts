import type { Shrink } from "./shrink.ts";
import { weightedSemaphore } from "./weighted-semaphore.ts";

/** Artefacts of a higher compression begin to show in text. */
const quality = 90;
/** A progressive JPEG is decoded as a whole, in up to 6 bytes a pixel: 300 MB. */
const maxPixels = 50_000_000;

/**
 * libvips, through sharp, which is loaded with the first image that has to be shrunk: it lies beside a function's bundle only
 * where a stage shrinks. One image at a time, for each takes some tens of megabytes, and they would share one processor anyway.
 * What is no image to libvips, or too large for a function's memory, cannot be read. Rejects when there is no sharp.
 */
export function createShrink(load = () => import("sharp")): Shrink {
  const processor = weightedSemaphore(1);
  let loaded: ReturnType<typeof load> | undefined;
  const loadOnce = () => {
    loaded ??= load().then((sharp) => {
      sharp.default.cache(false);
      sharp.default.concurrency(1);
      return sharp;
    });
    return loaded;
  };
  return (bytes, format, { width, height }) =>
    processor(1, async () => {
      const { default: sharp } = await loadOnce();
      // EXIF has the orientation, which stays OpenAI's to follow or not. Colours become those of sRGB.
      const picture = sharp(bytes, { limitInputPixels: maxPixels }).resize(width, height, { fit: "fill" }).keepExif();
      const shrunk = picture.toFormat(format, format === "png" ? {} : { quality });
      return shrunk.toBuffer().catch(() => null);
    });
}
