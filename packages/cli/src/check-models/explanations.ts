import type { Explanation } from "./explain.ts";

/**
 * The differences that are right here, and why, as of 2026-11-28. `npm run check:models` fails when one of them is gone: then its
 * explanation goes, too.
 */
export const explanations: readonly Explanation[] = [
  // Models that the catalogue leaves out.
  {
    catalogue: "litellm",
    models: /cyber|daybreak|rosalind|-law$/,
    fields: ["model"],
    theirs: "listed",
    because: "OpenAI serves these to chosen customers only. A stage that may use one gives its price in PRICES.",
  },
  {
    catalogue: "genai-prices",
    models: /^(?:text-)?(?:ada|babbage|curie|davinci|embedding)|instruct/,
    fields: ["model"],
    theirs: "listed",
    because: "Completions and embeddings: Chat Completions never served them.",
  },
  {
    catalogue: "genai-prices",
    models: /realtime|image/,
    fields: ["model"],
    theirs: "listed",
    because: "The Realtime and Images APIs serve them.",
  },
  {
    catalogue: "genai-prices",
    models: /^gpt-oss/,
    fields: ["model"],
    theirs: "listed",
    because: "OpenAI publishes their weights and does not serve them.",
  },
  {
    catalogue: "genai-prices",
    models: ["gpt-3.5-0301", "gpt-4-turbo-0125-preview", "gpt-4-1106-vision-preview"],
    fields: ["model"],
    theirs: "listed",
    because: "Older spellings of models that ended before 2026-04.",
  },
  {
    catalogue: "genai-prices",
    models: [
      ...["gpt-4o:extended", "gpt-5.1-chat", "gpt-5-1-chat", "gpt-5.2-chat", "gpt-5-2-chat", "gpt-5.3", "gpt-5-3"],
      ...["gpt-5.3-chat", "gpt-5-3-chat", "gpt-5.5-chat", "gpt-5-5-chat", "gpt-5.5-chat-latest", "gpt-5-5-chat-latest"],
      ...["codex-mini", "gpt-5.5-codex", "gpt-5-5-codex", "o3-mini-high", "o4-mini-high"],
    ],
    fields: ["model"],
    theirs: "listed",
    because: "OpenRouter's and Azure's names. OpenAI's API has no model of this name.",
  },
  {
    catalogue: "genai-prices",
    models: ["gpt-5.1-mini", "gpt-5-1-mini"],
    fields: ["model"],
    theirs: "listed",
    because: "OpenAI's own types call it no supported model.",
  },

  // Models that others leave out.
  {
    catalogue: "openai",
    models: ["gpt-5-search-api", "gpt-audio", "gpt-audio-1.5", "chat-latest"],
    fields: ["model"],
    theirs: "missing",
    because: "The type ChatModel takes any name, and lacks some. OpenAI's list of models and LiteLLM have these.",
  },
  {
    catalogue: "litellm",
    models: ["gpt-6.2-astra", "gpt-6.2-sol"],
    fields: ["model"],
    theirs: "missing",
    because: "Of 2026-11-17, and so newer than 1.110.2. Its repository has them since (BerriAI/litellm#52347).",
  },
  {
    catalogue: "genai-prices",
    models: ["gpt-6.1-sol", "gpt-6.1-terra", "gpt-6.2-astra", "gpt-6.2-sol"],
    fields: ["model"],
    theirs: "missing",
    because: "Newer than its last release, 0.1.8 of 2026-09-23.",
  },
  {
    catalogue: "genai-prices",
    models: ["gpt-5-search-api", "chat-latest"],
    fields: ["model"],
    theirs: "missing",
    because: "It never had this model, or has it as gpt-chat-latest, which agrees.",
  },

  // Prices.
  {
    catalogue: "litellm",
    models: ["gpt-5.4", "gpt-5.4-2026-03-05"],
    fields: ["cached input (flex)", "cached input (batch)"],
    theirs: 0.13,
    because: "OpenAI's page rounds half of $0.25.",
  },
  {
    catalogue: "litellm",
    models: ["o4-mini", "o4-mini-2025-04-16"],
    fields: ["cached input (flex)"],
    theirs: 0.138,
    because: "OpenAI's page rounds half of $0.275.",
  },
  {
    catalogue: "litellm",
    models: ["gpt-4o-search-preview", "gpt-4o-search-preview-2025-03-11"],
    fields: ["cached input"],
    theirs: 1.25,
    because: "OpenAI's page has no price for cached input of search previews, so that it costs as much as other input.",
  },
  {
    catalogue: "litellm",
    models: ["gpt-4o-mini-search-preview", "gpt-4o-mini-search-preview-2025-03-11"],
    fields: ["cached input"],
    theirs: 0.075,
    because: "OpenAI's page has no price for cached input of search previews, so that it costs as much as other input.",
  },
  {
    catalogue: "genai-prices",
    models: ["gpt-4o-mini-search-preview", "gpt-4o-mini-search-preview-2025-03-11"],
    fields: ["cached input"],
    theirs: 0.075,
    because: "It takes the model for gpt-4o-mini. OpenAI's page has no price for cached input of search previews.",
  },
  {
    catalogue: "litellm",
    models: ["ft:gpt-4o-2024-11-20"],
    fields: ["cached input"],
    theirs: 3.75,
    because: "The table has no such price. OpenAI's page has one for fine-tuned gpt-4o, $1.875.",
  },
  {
    catalogue: "litellm",
    models: ["ft:gpt-4o-2024-11-20"],
    fields: ["cache write 30m"],
    theirs: 1.875,
    because:
      "The price of cached input, in the wrong field: before gpt-5.6 a cache write costs as much as other input.",
  },
  {
    catalogue: "litellm",
    models: ["ft:gpt-4-0613"],
    fields: ["input", "cached input"],
    theirs: 30,
    because: "The price of gpt-4 itself. A fine-tuned one cost more, ended in 2026, and stays unpriced.",
  },
  {
    catalogue: "litellm",
    models: ["ft:gpt-4-0613"],
    fields: ["output"],
    theirs: 60,
    because: "The price of gpt-4 itself. A fine-tuned one cost more, ended in 2026, and stays unpriced.",
  },

  // Replacements.
  {
    catalogue: "litellm",
    models: ["gpt-5", "gpt-5-2025-08-07", "o3", "o3-2025-04-16"],
    fields: ["replacement"],
    theirs: "gpt-5.6-sol",
    because: "OpenAI's page of deprecations said so until November. It now says gpt-6.1-sol.",
  },
  {
    catalogue: "litellm",
    models: ["gpt-5-mini", "gpt-5-mini-2025-08-07"],
    fields: ["replacement"],
    theirs: "gpt-5.6-terra",
    because: "OpenAI's page of deprecations said so until November. It now says gpt-6.1-terra.",
  },
  {
    catalogue: "litellm",
    models: ["gpt-5-nano", "gpt-5-nano-2025-08-07"],
    fields: ["replacement"],
    theirs: "gpt-5.6-luna",
    because: "OpenAI's page of deprecations said so until November. It now says gpt-6-luna.",
  },

  // Limits and pictures.
  {
    catalogue: "genai-prices",
    models: [
      ...["gpt-4.1", "gpt-4.1-2025-04-14", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"],
      ...["gpt-4.1-nano", "gpt-4.1-nano-2025-04-14"],
      ...["gpt-5.5", "gpt-5-5", "gpt-5.5-2026-04-23", "gpt-5-5-2026-04-23", "gpt-5.5-2026-04-24", "gpt-5-5-2026-04-24"],
    ],
    fields: ["context"],
    theirs: 1_000_000,
    because: "Rounded. OpenAI's pages say 1,047,576 for gpt-4.1 and 1,050,000 for gpt-5.5, and so does LiteLLM.",
  },
  {
    catalogue: "litellm",
    models: ["gpt-4", "gpt-4-0613", "ft:gpt-4-0613"],
    fields: ["longest answer"],
    theirs: 4_096,
    because: "OpenAI's page of gpt-4 says 8,192. It ended on 2026-10-23.",
  },
  {
    catalogue: "litellm",
    models: [
      ...["gpt-4o-search-preview", "gpt-4o-search-preview-2025-03-11"],
      ...["gpt-4o-mini-search-preview", "gpt-4o-mini-search-preview-2025-03-11"],
      ...["gpt-5-search-api", "gpt-5-search-api-2025-10-14"],
    ],
    fields: ["pictures"],
    theirs: true,
    because:
      "OpenAI's pages of search models say text alone. A budget reserves the dearest rule for a picture all the same.",
  },
];
