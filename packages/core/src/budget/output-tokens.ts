import { familyOf } from "../model/model.ts";

/**
 * The most tokens that a model writes in one choice, reasoning included, where that is less than `mostOutputTokens`.
 * Source: "Max output tokens" on the models' own pages, platform.openai.com/docs/models, 2026-11.
 */
const maxOutputTokensByModel: ReadonlyMap<string, number> = new Map([
  ["gpt-4o-2024-05-13", 4_096],
  ["gpt-4o", 16_384],
  ["gpt-4o-mini", 16_384],
  ["gpt-4.1", 32_768],
  ["gpt-4.1-mini", 32_768],
  ["gpt-4.1-nano", 32_768],
  ["o1", 100_000],
  ["o3", 100_000],
  ["o3-mini", 100_000],
  ["o4-mini", 100_000],
]);

/** gpt-5 and later, and whatever is not known here. */
const mostOutputTokens = 128_000;

export const maxOutputTokens = (model: string): number =>
  maxOutputTokensByModel.get(model) ?? maxOutputTokensByModel.get(familyOf(model)) ?? mostOutputTokens;
