import { familyOf } from "../usage/price.ts";

/** `detail` of OpenAI's `image_url`; `auto` is OpenAI's choice, and counts as `high` here, the dearer one. */
export type Detail = "low" | "high" | "auto" | "original";

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

/** Tokens for each patch of 32 × 32 pixels, and the most patches that one picture has. */
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

/**
 * About how many input tokens a picture will cost, or null for a model whose rule is not known here. An estimate, to
 * reserve budget with: what is billed is the usage that OpenAI returns. Width and height are in pixels.
 * Source: OpenAI's guide "Images and vision", section "Calculating costs", checked 2026-11.
 */
export function estimateImageTokens(model: string, width: number, height: number, detail: Detail): number | null {
  const family = familyOf(model);
  const tiles = tileModels.get(family);
  if (tiles !== undefined) return tiles.base + (detail === "low" ? 0 : tiles.tile * tilesIn(width, height));
  const patches = patchModels.get(family);
  if (patches === undefined) return null;
  const count = Math.min(Math.ceil(width / 32) * Math.ceil(height / 32), patches.maxPatches);
  return Math.ceil(count * patches.multiplier);
}

/** OpenAI fits a picture into 2048 × 2048 pixels, then shrinks its short side to 768; it enlarges neither. */
function tilesIn(width: number, height: number): number {
  const fit = Math.min(1, 2048 / Math.max(width, height));
  const shrink = Math.min(1, 768 / (Math.min(width, height) * fit));
  const tiles = (side: number): number => Math.ceil(Math.round(side * fit * shrink) / 512);
  return tiles(width) * tiles(height);
}
