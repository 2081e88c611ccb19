import { evaluated, fromNpm, fromPyPI, type Options, textInTarball, textInWheel } from "./download.ts";
import type { Catalogue, CatalogueName } from "./facts.ts";
import { readGenaiPrices } from "./genai-prices.ts";
import { readLiteLLM } from "./litellm.ts";
import { readOpenAITypes } from "./openai-types.ts";

/** How each of the other catalogues is had: its newest version, since that is where a new model shows first. */
export const catalogues: Record<CatalogueName, (options: Options, today: Date) => Promise<Catalogue>> = {
  openai: async (options) => {
    const file = await fromNpm("openai", options);
    return readOpenAITypes(await textInTarball(file, "resources/shared.d.ts", options.signal));
  },
  litellm: async (options) => {
    const file = await fromPyPI("litellm", options);
    const table = "litellm/model_prices_and_context_window_backup.json";
    return readLiteLLM(JSON.parse(await textInWheel(file, table, options.signal)));
  },
  "genai-prices": async (options, today) => {
    const file = await fromNpm("@pydantic/genai-prices", options);
    const models = 'module.findProvider({ providerId: "openai" }).models';
    return readGenaiPrices(await evaluated(file, "dist/index.js", models, options.signal), today);
  },
};
