import type { Effort, ImageRule, Model, PatchLimit, Prices, TokenPrices } from "./model.ts";

/**
 * All that Tollgate believes about OpenAI's models. A new model is a new row. A changed price is a new entry in `prices` with
 * the day from which it holds; old entries stay, since old results keep their cost.
 *
 * Sources, read on 2026-11-28:
 *   prices    developers.openai.com/api/docs/pricing; gpt-6.2: developers.openai.com/api/docs/models/gpt-6.2-sol and
 *             iyulab/TokenMeter v0.17.0
 *   batches   of the models before gpt-5, and of fine-tuned ones: the page as it was in 2025-11, and LiteLLM's table 1.110.2
 *   ends      developers.openai.com/api/docs/deprecations, and `ChatModel` in resources/shared.d.ts of openai 7.59.0;
 *             gpt-audio-mini-2025-10-06: LiteLLM's table 1.110.2
 *   limits    developers.openai.com/api/docs/models/<name>
 *   images    developers.openai.com/api/docs/guides/images-vision, and what users were billed: gpt-5.4 1600 × 1600 → 3,008;
 *             gpt-5.5 30 of 3000 × 3000 → 318,283; gpt-5.6-sol 4000 × 2500 → 11,930; gpt-6-luna 2400 × 2400 → 6,783
 *   tools     400s of Chat Completions: BerriAI/litellm#34569 (gpt-5.6), onyx-dot-app/onyx#15008 (gpt-6-sol),
 *             pipecat-ai/pipecat#4043 (gpt-5.4), bolna-ai/bolna#1019 (gpt-6-astra); gpt-6.2: its page, which knows tools of the
 *             Responses API alone
 *   efforts   of Chat Completions, which refuses the Responses API's "max": mnfst/modelparams.dev#236 (gpt-5.6, tried on 2026-08-17),
 *             BerriAI/litellm-docs#1173 (gpt-6-astra); inferred for the rest of gpt-6; LiteLLM's table 1.110.2 (who takes "none"),
 *             BerriAI/litellm#52347 (gpt-6.2)
 */
const source = "https://developers.openai.com/api/docs/pricing, checked 2026-11-28";

/** $ per 1M tokens as the page has them, times 1,000, which are nano-dollars a token: input, cached input, output. */
type Listed = readonly [input: number, cachedInput: number, output: number];

const tokens = ([inputNanoUsd, cachedInputNanoUsd, outputNanoUsd]: Listed): TokenPrices => ({
  inputNanoUsd,
  cachedInputNanoUsd,
  outputNanoUsd,
});

interface Extras extends Partial<Omit<Prices, "priority" | "batch">> {
  priority?: Listed;
  batch?: Listed;
}

const listed = (standard: Listed, { priority, batch, ...extras }: Extras = {}): Prices[] => [
  {
    ...tokens(standard),
    from: "2026-11-01",
    longContext: false,
    cacheWrites: false,
    halfPriceTiers: [],
    audio: null,
    perCallNanoUsd: 0,
    source,
    ...extras,
    priority: priority ? tokens(priority) : null,
    batch: batch ? tokens(batch) : null,
  },
];

const times = ([input, cachedInput, output]: Listed, factor: number): Listed => [
  input * factor,
  cachedInput * factor,
  output * factor,
];
const flex = { halfPriceTiers: ["flex", "batch"] } as const;

/** Before gpt-5: in a batch, cached input costs as much as other input. */
const earlyPrices = (standard: Listed, extras: Extras = {}) => {
  const [input, , output] = times(standard, 0.5);
  return listed(standard, { batch: [input, input, output], ...extras });
};
/** Of a fine-tuned model. Its batches cost half unless OpenAI's page says otherwise. */
const tunedPrices = (standard: Listed, batch?: Listed) =>
  listed(standard, batch ? { batch } : { halfPriceTiers: ["batch"] });

const audioPrices = listed([2_500, 2_500, 10_000], { audio: { inputNanoUsd: 32_000, outputNanoUsd: 64_000 } });
const audioMiniPrices = listed([600, 600, 2_400], { audio: { inputNanoUsd: 10_000, outputNanoUsd: 20_000 } });

/** gpt-5 to 5.2, and the small models of 5.4. */
const gpt5Prices = (standard: Listed, priority?: Listed) =>
  listed(standard, { ...flex, ...(priority && { priority }) });
/** From gpt-5.4 on. */
const longPrices = (standard: Listed, priority: Listed) => listed(standard, { ...flex, longContext: true, priority });
/** From gpt-5.6 on. */
const currentPrices = (standard: Listed, extras: Extras = {}) =>
  listed(standard, { ...flex, longContext: true, cacheWrites: true, priority: times(standard, 2), ...extras });
/** gpt-6.2: OpenAI's page has no price for flex. */
const gpt62Prices = (standard: Listed) => currentPrices(standard, { halfPriceTiers: ["batch"], from: "2026-11-17" });

const tiles = (base: number, tile: number): ImageRule => ({ kind: "tiles", base, tile });
const patches = (tokensPerPatch: number, maxPatches: number): ImageRule => ({
  kind: "patches",
  tokensPerPatch,
  high: { maxPatches, maxSide: 2_048 },
  original: null,
  autoIsOriginal: false,
});
/** From gpt-5.4 on, small models aside: what `original` may show. */
const finePatches = (original: PatchLimit, autoIsOriginal: boolean): ImageRule => ({
  kind: "patches",
  tokensPerPatch: 1.2,
  high: { maxPatches: 2_500, maxSide: 2_048 },
  original,
  autoIsOriginal,
});
/** gpt-5.4 and 5.5. */
const original: PatchLimit = { maxPatches: 10_000, maxSide: 6_000 };
/** From gpt-5.6 on, which refuse what has more. */
const largeOriginal: PatchLimit = { maxPatches: 30_000, maxSide: 65_535 };

/** What a row leaves out: a chat model that does not reason. */
const plain = {
  aliases: [],
  fineTunedPrices: [],
  contextTokens: 128_000,
  maxOutputTokens: 16_384,
  images: null,
  takesAudio: false,
  takesMaxTokens: true,
  efforts: [],
  defaultEffort: null,
  temperature: "always",
  chatTools: "always",
  ends: null,
} as const;

type Row = Pick<Model, "name" | "prices"> & Partial<Model>;
const row = (own: Row): Model => ({ ...plain, ...own });

/** A model that reasons, and refuses `max_tokens` and `temperature`. */
const reasoning = (own: Row & { efforts: readonly Effort[] }): Model =>
  row({ takesMaxTokens: false, temperature: "never", defaultEffort: "medium", maxOutputTokens: 100_000, ...own });

const gpt5 = (own: Row): Model =>
  reasoning({
    efforts: ["minimal", "low", "medium", "high"],
    contextTokens: 400_000,
    maxOutputTokens: 128_000,
    ...own,
  });
/** gpt-5.1 to 5.5: unless asked to, they do not reason, and then they take a temperature. */
const gpt5Point = (own: Row): Model =>
  gpt5({
    efforts: ["none", "low", "medium", "high", "xhigh"],
    defaultEffort: "none",
    temperature: "effort none",
    chatTools: "no effort",
    ...own,
  });
const current = (own: Row): Model =>
  gpt5({
    efforts: ["none", "low", "medium", "high", "xhigh"],
    temperature: "effort none",
    chatTools: "effort none",
    contextTokens: 1_050_000,
    // `auto` of gpt-6 is not documented: the dearer reading.
    images: finePatches(largeOriginal, true),
    ...own,
  });
/** They always reason. */
const alwaysReasoning = (own: Row): Model =>
  current({ efforts: ["low", "medium", "high", "xhigh"], temperature: "never", chatTools: "never", ...own });

const endedIn2026 = (replacement: string | null) => ({ on: "2026-10-23", replacement });
const endsWithGpt4o = { on: "2027-01-14", replacement: "gpt-6-luna" };

export const models: readonly Model[] = [
  row({
    name: "gpt-3.5-turbo",
    aliases: ["gpt-3.5-turbo-0125"],
    prices: earlyPrices([500, 500, 1_500]),
    fineTunedPrices: tunedPrices([3_000, 3_000, 6_000]),
    contextTokens: 16_385,
    maxOutputTokens: 4_096,
    ends: endedIn2026("gpt-5.6-terra"),
  }),
  row({
    name: "gpt-4",
    aliases: ["gpt-4-0613"],
    prices: earlyPrices([30_000, 30_000, 60_000]),
    contextTokens: 8_192,
    maxOutputTokens: 8_192,
    ends: endedIn2026("gpt-5.6-sol"),
  }),
  row({
    name: "gpt-4-turbo",
    prices: earlyPrices([10_000, 10_000, 30_000]),
    maxOutputTokens: 4_096,
    images: tiles(85, 170),
    ends: endedIn2026("gpt-5.6-sol"),
  }),
  row({
    name: "gpt-4o",
    prices: earlyPrices([2_500, 1_250, 10_000], { priority: [4_250, 2_125, 17_000] }),
    fineTunedPrices: tunedPrices([3_750, 1_875, 15_000], [2_225, 900, 12_500]),
    images: tiles(85, 170),
    ends: endsWithGpt4o,
  }),
  // The first gpt-4o kept its launch price, and has no discount for cached input.
  row({
    name: "gpt-4o-2024-05-13",
    prices: earlyPrices([5_000, 5_000, 15_000], { priority: [8_750, 8_750, 26_250] }),
    maxOutputTokens: 4_096,
    images: tiles(85, 170),
    ends: endedIn2026("gpt-5.6-sol"),
  }),
  row({
    name: "gpt-4o-mini",
    prices: earlyPrices([150, 75, 600], { priority: [250, 125, 1_000] }),
    fineTunedPrices: tunedPrices([300, 150, 1_200]),
    images: tiles(2_833, 5_667),
    ends: endsWithGpt4o,
  }),
  row({
    name: "gpt-4.1",
    prices: earlyPrices([2_000, 500, 8_000], { priority: [3_500, 875, 14_000] }),
    fineTunedPrices: tunedPrices([3_000, 750, 12_000], [1_500, 500, 6_000]),
    contextTokens: 1_047_576,
    maxOutputTokens: 32_768,
    images: tiles(85, 170),
    ends: endsWithGpt4o,
  }),
  row({
    name: "gpt-4.1-mini",
    prices: earlyPrices([400, 100, 1_600], { priority: [700, 175, 2_800] }),
    fineTunedPrices: tunedPrices([800, 200, 3_200]),
    contextTokens: 1_047_576,
    maxOutputTokens: 32_768,
    images: patches(1.62, 1_536),
    ends: endsWithGpt4o,
  }),
  row({
    name: "gpt-4.1-nano",
    prices: earlyPrices([100, 25, 400], { priority: [200, 50, 800] }),
    fineTunedPrices: tunedPrices([200, 50, 800]),
    contextTokens: 1_047_576,
    maxOutputTokens: 32_768,
    images: patches(2.46, 1_536),
    ends: endedIn2026("gpt-5.6-luna"),
  }),

  // Each request searches the web once, for a fee on top of its tokens. The previews have no discount for cached input.
  row({
    name: "gpt-4o-search-preview",
    prices: earlyPrices([2_500, 2_500, 10_000], { perCallNanoUsd: 25_000_000 }),
    temperature: "never",
    chatTools: "never",
    ends: { on: "2026-07-23", replacement: "gpt-5.6-terra" },
  }),
  row({
    name: "gpt-4o-mini-search-preview",
    prices: earlyPrices([150, 150, 600], { perCallNanoUsd: 25_000_000 }),
    temperature: "never",
    chatTools: "never",
    ends: { on: "2026-07-23", replacement: "gpt-5.6-terra" },
  }),
  row({
    name: "gpt-5-search-api",
    prices: listed([1_250, 125, 10_000], { perCallNanoUsd: 10_000_000 }),
    contextTokens: 400_000,
    maxOutputTokens: 128_000,
    takesMaxTokens: false,
    temperature: "never",
    chatTools: "never",
  }),

  row({
    name: "gpt-audio",
    aliases: ["gpt-audio-2025-08-28"],
    prices: audioPrices,
    takesAudio: true,
    ends: { on: "2027-01-20", replacement: "gpt-audio-1.5" },
  }),
  row({
    name: "gpt-audio-1.5",
    prices: audioPrices,
    takesAudio: true,
  }),
  row({
    name: "gpt-audio-mini",
    prices: audioMiniPrices,
    takesAudio: true,
    ends: { on: "2027-01-20", replacement: "gpt-audio-1.5" },
  }),
  // It ended before its family.
  row({
    name: "gpt-audio-mini-2025-10-06",
    prices: audioMiniPrices,
    takesAudio: true,
    ends: { on: "2026-07-23", replacement: "gpt-audio-1.5" },
  }),

  reasoning({
    name: "o1",
    prices: earlyPrices([15_000, 7_500, 60_000]),
    efforts: ["low", "medium", "high"],
    contextTokens: 200_000,
    images: tiles(75, 150),
    ends: endedIn2026("gpt-5.6-sol"),
  }),
  reasoning({
    name: "o3",
    prices: earlyPrices([2_000, 500, 8_000], { halfPriceTiers: ["flex"], priority: [3_500, 875, 14_000] }),
    efforts: ["low", "medium", "high"],
    contextTokens: 200_000,
    images: tiles(75, 150),
    ends: { on: "2026-12-11", replacement: "gpt-6.1-sol" },
  }),
  reasoning({
    name: "o3-mini",
    prices: earlyPrices([1_100, 550, 4_400]),
    efforts: ["low", "medium", "high"],
    contextTokens: 200_000,
    ends: endedIn2026("gpt-5.6-sol"),
  }),
  reasoning({
    name: "o4-mini",
    prices: earlyPrices([1_100, 275, 4_400], { halfPriceTiers: ["flex"], priority: [2_000, 500, 8_000] }),
    fineTunedPrices: tunedPrices([4_000, 1_000, 16_000]),
    efforts: ["low", "medium", "high"],
    contextTokens: 200_000,
    images: patches(1.72, 1_536),
    ends: endedIn2026("gpt-5.6-terra"),
  }),

  gpt5({
    name: "gpt-5",
    prices: gpt5Prices([1_250, 125, 10_000], [2_500, 250, 20_000]),
    images: tiles(70, 140),
    ends: { on: "2026-12-11", replacement: "gpt-6.1-sol" },
  }),
  gpt5({
    name: "gpt-5-mini",
    prices: gpt5Prices([250, 25, 2_000], [450, 45, 3_600]),
    images: patches(1.62, 1_536),
    ends: { on: "2026-12-11", replacement: "gpt-6.1-terra" },
  }),
  gpt5({
    name: "gpt-5-nano",
    prices: gpt5Prices([50, 5, 400]),
    images: patches(2.46, 1_536),
    ends: { on: "2026-12-11", replacement: "gpt-6-luna" },
  }),
  gpt5Point({
    name: "gpt-5.1",
    prices: gpt5Prices([1_250, 125, 10_000], [2_500, 250, 20_000]),
    efforts: ["none", "low", "medium", "high"],
    chatTools: "always",
    images: tiles(70, 140),
    ends: { on: "2027-04-01", replacement: "gpt-6-sol" },
  }),
  gpt5Point({
    name: "gpt-5.2",
    prices: gpt5Prices([1_750, 175, 14_000], [3_500, 350, 28_000]),
    chatTools: "always",
    images: patches(1.2, 1_536),
  }),
  gpt5Point({
    name: "gpt-5.4",
    prices: longPrices([2_500, 250, 15_000], [5_000, 500, 30_000]),
    contextTokens: 1_050_000,
    images: finePatches(original, false),
  }),
  // OpenAI's guide says at most 1,536 patches for the small models of 5.4, and their users were billed for 2,500.
  gpt5Point({
    name: "gpt-5.4-mini",
    prices: gpt5Prices([750, 75, 4_500], [1_500, 150, 9_000]),
    images: patches(1.62, 2_500),
  }),
  gpt5Point({
    name: "gpt-5.4-nano",
    prices: gpt5Prices([200, 20, 1_250]),
    images: patches(2.46, 2_500),
    ends: { on: "2027-04-01", replacement: "gpt-6-luna" },
  }),
  gpt5Point({
    name: "gpt-5.5",
    prices: longPrices([5_000, 500, 30_000], [12_500, 1_250, 75_000]),
    defaultEffort: "medium",
    contextTokens: 1_050_000,
    images: finePatches(original, true),
  }),
  gpt5Point({
    name: "chat-latest",
    aliases: ["gpt-chat-latest"],
    prices: listed([5_000, 500, 30_000]),
    images: finePatches(original, true),
  }),

  // A promotion, says OpenAI's page: from 2026-08-21, to 2026-11-21 at least. No source names its end.
  current({ name: "gpt-5.6-sol", aliases: ["gpt-5.6"], prices: currentPrices([4_000, 400, 20_000]) }),
  current({ name: "gpt-5.6-terra", prices: currentPrices([2_000, 200, 12_000]) }),
  current({ name: "gpt-5.6-luna", prices: currentPrices([200, 20, 1_200]) }),
  alwaysReasoning({ name: "gpt-6-astra", prices: currentPrices([10_000, 1_000, 50_000]) }),
  current({ name: "gpt-6-sol", prices: currentPrices([2_000, 200, 10_000]) }),
  current({ name: "gpt-6-luna", prices: currentPrices([100, 10, 500]) }),
  alwaysReasoning({ name: "gpt-6.1-sol", prices: currentPrices([2_000, 100, 10_000]) }),
  current({ name: "gpt-6.1-terra", prices: currentPrices([1_000, 50, 5_000]) }),
  alwaysReasoning({ name: "gpt-6.2-astra", prices: gpt62Prices([8_000, 400, 40_000]) }),
  alwaysReasoning({ name: "gpt-6.2-sol", prices: gpt62Prices([2_000, 100, 10_000]) }),
];
