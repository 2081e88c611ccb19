import { type ImageRule, modelNamed, type PatchLimit } from "../model/model.ts";
import type { Detail } from "./detail.ts";

/** In pixels. */
export interface Size {
  width: number;
  height: number;
}

/**
 * About how many input tokens a picture will cost, or null for a model whose rule is not known here. An estimate that is never
 * too low, to reserve budget with: what is billed is the usage that OpenAI returns. Width and height are in pixels.
 * Source: OpenAI's guide "Images and vision", section "Calculating costs", checked 2026-11; each model's rule is in the catalogue.
 */
export function estimateImageTokens(model: string, width: number, height: number, detail: Detail): number | null {
  const rule = modelNamed(model)?.model.images;
  if (!rule) return null;
  if (rule.kind === "tiles") return rule.base + (detail === "low" ? 0 : rule.tile * tilesIn({ width, height }));
  return Math.ceil(Math.min(patchesIn({ width, height }), shownAt(rule, detail).maxPatches) * rule.tokensPerPatch);
}

/** What a model shows of a picture at this detail. At `low` it may be less, but no source says how much for every model. */
function shownAt(rule: Extract<ImageRule, { kind: "patches" }>, detail: Detail): PatchLimit {
  const isOriginal = detail === "original" || (detail === "auto" && rule.autoIsOriginal);
  return isOriginal && rule.original ? rule.original : rule.high;
}

/**
 * The size to which OpenAI shrinks a picture before a model sees it: to send more pixels than these changes neither answer nor
 * price. The picture's own size when it is not shrunk, or when it is not known to be. A model that refuses a picture of too many
 * patches takes one of this size.
 * Source: as for the tokens.
 */
export function sizeSeen(model: string, size: Size, detail: Detail): Size {
  const rule = modelNamed(model)?.model.images;
  if (!rule) return size;
  if (rule.kind === "tiles") return detail === "low" ? within(512, size) : fitForTiles(size);
  const { maxSide, maxPatches } = shownAt(rule, detail);
  const fit = Math.min(1, maxSide / Math.max(size.width, size.height), fitForPatches(size, maxPatches));
  return fit === 1 ? size : toPixels({ width: size.width * fit, height: size.height * fit });
}

/** OpenAI fits a picture into 2048 × 2048 pixels, then shrinks its short side to 768; it enlarges neither. */
function fitForTiles(size: Size): Size {
  const fit = Math.min(1, 2048 / Math.max(size.width, size.height));
  return scaled(size, fit * Math.min(1, 768 / (Math.min(size.width, size.height) * fit)));
}

const within = (side: number, size: Size): Size => scaled(size, Math.min(1, side / Math.max(size.width, size.height)));

/** At least one pixel is left of a side. */
function scaled({ width, height }: Size, by: number): Size {
  const side = (pixels: number) => Math.max(1, Math.round(pixels * by));
  return { width: side(width), height: side(height) };
}

const tilesIn = (size: Size): number => {
  const { width, height } = fitForTiles(size);
  return Math.ceil(width / 512) * Math.ceil(height / 512);
};

const patchesIn = ({ width, height }: Size): number => Math.ceil(width / 32) * Math.ceil(height / 32);

/** Up to the next pixel, which no patch is more; 1056.0000001 is 1056. */
function toPixels({ width, height }: Size): Size {
  const side = (pixels: number) => Math.ceil(Number(pixels.toFixed(6)));
  return { width: side(width), height: side(height) };
}

/** A picture of too many patches is shrunk by this, until so many cover it and one of its sides is whole patches. */
function fitForPatches({ width, height }: Size, maxPatches: number): number {
  if (patchesIn({ width, height }) <= maxPatches) return 1;
  const fit = Math.sqrt((32 * 32 * maxPatches) / (width * height));
  const [across, down] = [(width * fit) / 32, (height * fit) / 32];
  const toWhole = Math.min(Math.floor(across) / across, Math.floor(down) / down);
  // Not even one patch high: a strip that is none of a photograph's shapes.
  return toWhole === 0 ? 1 : fit * toWhole;
}
