import { detail as details } from "../image/detail.ts";
import { readImageHeader } from "../image/image.ts";
import { InlineImage } from "../image/inline-image.ts";
import { estimateImageTokens } from "../image/tokens.ts";

/**
 * No documented rule gives one picture more tokens: gpt-4o-mini's, 2,833 + 8 tiles × 5,667. It stands in for a model whose
 * own rule is not known. Source: as for vision/tokens.ts.
 */
const mostTokens = 2_833 + 8 * 5_667;

/** Shapes that reach the most tiles (8, in a strip) and the most patches (in a square) that any picture has. */
const largestShapes = [
  { width: 2_048, height: 768 },
  { width: 16_384, height: 16_384 },
];

/**
 * The most tokens that a picture may cost: by its own size when its bytes are here, by the largest size otherwise. A missing
 * detail means `auto`. A detail that is not known here counts as the dearest.
 */
export function maxImageTokens(model: string, url: unknown, asked: unknown): number {
  const shapes = shapeOf(url) ?? largestShapes;
  const detail = asked == null ? "auto" : (details.options.find((known) => known === asked) ?? "original");
  return Math.max(
    ...shapes.map(({ width, height }) => estimateImageTokens(model, width, height, detail) ?? mostTokens),
  );
}

function shapeOf(url: unknown) {
  if (url instanceof InlineImage) return [url.header];
  if (typeof url !== "string" || !url.startsWith("data:")) return null;
  const base64 = url.slice(url.indexOf(",") + 1).replace(/\s+/g, "");
  // Decoders differ in what they make of anything else, and so in the picture that they see.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  const found = readImageHeader(Buffer.from(base64, "base64"));
  return found.ok ? [found] : null;
}
