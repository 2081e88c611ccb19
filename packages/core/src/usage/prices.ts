/**
 * What OpenAI charges for one token, in nano-dollars: $0.15 per 1M tokens is 150. A changed price is a new row with the
 * day from which it holds; old rows stay, since old results keep their cost.
 */
export interface TokenPrices {
  inputNanoUsd: number;
  cachedInputNanoUsd: number;
  outputNanoUsd: number;
}

export interface PriceRow extends TokenPrices {
  /** A family (`gpt-4o-mini`), or a snapshot whose price differs from its family's (`gpt-4o-2024-05-13`). */
  model: string;
  /** The first day, in UTC, for which this price is vouched for: `YYYY-MM-DD`. */
  from: string;
  /** Above 272,000 input tokens the whole request costs more (`longContext` in cost.ts). */
  longContext: boolean;
  /** Tokens written to the prompt cache cost 1.25 times the input. */
  cacheWrites: boolean;
  source: string;
}

const source = "https://openai.com/api/pricing, checked 2026-11";

/** $ per 1M tokens as the page has them, times 1,000. Columns: model, input, cached input, output. */
const listed = (model: string, input: number, cachedInput: number, output: number): PriceRow => ({
  model,
  from: "2026-11-01",
  inputNanoUsd: input,
  cachedInputNanoUsd: cachedInput,
  outputNanoUsd: output,
  longContext: false,
  cacheWrites: false,
  source,
});
/** gpt-5.4 and 5.5. */
const long = (row: PriceRow): PriceRow => ({ ...row, longContext: true });
/** gpt-5.6 and later. */
const longAndWrites = (row: PriceRow): PriceRow => ({ ...row, longContext: true, cacheWrites: true });

export const prices: readonly PriceRow[] = [
  listed("gpt-4o", 2_500, 1_250, 10_000),
  // The first gpt-4o kept its launch price, and has no discount for cached input.
  listed("gpt-4o-2024-05-13", 5_000, 5_000, 15_000),
  listed("gpt-4o-mini", 150, 75, 600),
  listed("gpt-4.1", 2_000, 500, 8_000),
  listed("gpt-4.1-mini", 400, 100, 1_600),
  listed("gpt-4.1-nano", 100, 25, 400),
  listed("o1", 15_000, 7_500, 60_000),
  listed("o3", 2_000, 500, 8_000),
  listed("o3-mini", 1_100, 550, 4_400),
  listed("o4-mini", 1_100, 275, 4_400),
  listed("gpt-5", 1_250, 125, 10_000),
  listed("gpt-5-mini", 250, 25, 2_000),
  listed("gpt-5-nano", 50, 5, 400),
  listed("gpt-5.1", 1_250, 125, 10_000),
  listed("gpt-5.2", 1_750, 175, 14_000),
  long(listed("gpt-5.4", 2_500, 250, 15_000)),
  listed("gpt-5.4-mini", 750, 75, 4_500),
  listed("gpt-5.4-nano", 200, 20, 1_250),
  long(listed("gpt-5.5", 5_000, 500, 30_000)),
  longAndWrites(listed("gpt-5.6-sol", 4_000, 400, 20_000)),
  longAndWrites(listed("gpt-5.6-terra", 2_000, 200, 12_000)),
  longAndWrites(listed("gpt-5.6-luna", 200, 20, 1_200)),
  longAndWrites(listed("gpt-6-astra", 10_000, 1_000, 50_000)),
  longAndWrites(listed("gpt-6-sol", 2_000, 200, 10_000)),
  longAndWrites(listed("gpt-6-luna", 100, 10, 500)),
];
