import { familyOf } from "../model/model.ts";
import type { Detail } from "./detail.ts";

/** Tokens for a picture at low detail, and for each tile of 512 × 512 pixels on top of that. */
const tileModels: ReadonlyMap<string, { base: number; tile: number }> = new Map([
  ["gpt-4o", { base: 85, tile: 170 }],
  ["gpt-4.1", { base: 85, tile: 170 }],
  ["gpt-4o-mini", { base: 2_833, tile: 5_667 }],
  ["gpt-5", { base: 70, tile: 140 }],
  ["gpt-5.1", { base: 70, tile: 140 }],
  ["o1", { base: 75, tile: 150 }],
  ["o3", { base: 75, tile: 150 }],
]);

/** From gpt-5.4 on: what `original` detail allows, which `auto` may choose. */
const fine = { multiplier: 1, maxPatches: 10_000 };

/**
 * Tokens for each patch of 32 × 32 pixels, and the most patches that one picture has. Of gpt-5.4-mini and -nano OpenAI's guide says
 * 1,536, and its users were billed for 2,500: the larger one reserves enough and takes no pixel away that the model would see.
 */
const patchModels: ReadonlyMap<string, { multiplier: number; maxPatches: number }> = new Map([
  ["gpt-4.1-mini", { multiplier: 1.62, maxPatches: 1_536 }],
  ["gpt-4.1-nano", { multiplier: 2.46, maxPatches: 1_536 }],
  ["o4-mini", { multiplier: 1.72, maxPatches: 1_536 }],
  ["gpt-5-mini", { multiplier: 1.62, maxPatches: 1_536 }],
  ["gpt-5-nano", { multiplier: 2.46, maxPatches: 1_536 }],
  ["gpt-5.2", { multiplier: 1, maxPatches: 1_536 }],
  ["gpt-5.4", fine],
  ["gpt-5.4-mini", { multiplier: 1.62, maxPatches: 2_500 }],
  ["gpt-5.4-nano", { multiplier: 2.46, maxPatches: 2_500 }],
  ["gpt-5.5", fine],
  ["gpt-5.6-sol", fine],
  ["gpt-5.6-terra", fine],
  ["gpt-5.6-luna", fine],
  ["gpt-6-astra", fine],
  ["gpt-6-sol", fine],
  ["gpt-6-luna", fine],
]);

/** In pixels. */
export interface Size {
  width: number;
  height: number;
}

/**
 * About how many input tokens a picture will cost, or null for a model whose rule is not known here. An estimate, to
 * reserve budget with: what is billed is the usage that OpenAI returns. Width and height are in pixels.
 * Source: OpenAI's guide "Images and vision", section "Calculating costs", checked 2026-11.
 */
export function estimateImageTokens(model: string, width: number, height: number, detail: Detail): number | null {
  const family = familyOf(model);
  const tiles = tileModels.get(family);
  if (tiles !== undefined) return tiles.base + (detail === "low" ? 0 : tiles.tile * tilesIn({ width, height }));
  const patches = patchModels.get(family);
  if (patches === undefined) return null;
  const count = Math.min(patchesIn({ width, height }), patches.maxPatches);
  return Math.ceil(count * patches.multiplier);
}

/**
 * The size to which OpenAI shrinks a picture before a model sees it: to send more pixels than these changes neither answer nor
 * price. The picture's own size when it is not shrunk, or when it is not known to be. Where `auto` or `original` may show more
 * than `high`, for that.
 * Source: as for the tokens.
 */
export function sizeSeen(model: string, size: Size, detail: Detail): Size {
  const family = familyOf(model);
  if (tileModels.has(family)) return detail === "low" ? within(512, size) : fitForTiles(size);
  const patches = patchModels.get(family);
  return patches ? fitForPatches(size, patches.maxPatches) : size;
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

/** A picture of too many patches is shrunk until so many cover it, and one of its sides is whole patches. */
function fitForPatches(size: Size, maxPatches: number): Size {
  if (patchesIn(size) <= maxPatches) return size;
  const fit = Math.sqrt((32 * 32 * maxPatches) / (size.width * size.height));
  const [across, down] = [(size.width * fit) / 32, (size.height * fit) / 32];
  const toWhole = Math.min(Math.floor(across) / across, Math.floor(down) / down);
  // Not even one patch high: a strip that is none of a photograph's shapes.
  if (toWhole === 0) return size;
  // Up to the next pixel, which no patch is more; 1056.0000001 is 1056.
  const side = (pixels: number) => Math.ceil(Number((pixels * fit * toWhole).toFixed(6)));
  return { width: side(size.width), height: side(size.height) };
}
