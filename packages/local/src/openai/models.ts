import { openAIError } from "./error.ts";

/**
 * What the simulated OpenAI knows of its models: one row a model. None of it comes from the product, so that a test can catch
 * either of the two. Sources, all read in November 2026:
 * - ids and announced ends: `openai` 7.57 and 7.59, `resources/shared.d.ts` (`ChatModel`);
 * - limits of input and output: LiteLLM 1.110.2's table of models, and https://developers.openai.com/api/docs/models/<model>;
 * - pictures: https://developers.openai.com/api/docs/guides/images-vision, and bills that others measured
 *   (Prism-Shadow/agenthub#194, NousResearch/hermes-agent#106337);
 * - function tools on Chat Completions: BerriAI/litellm#34569 (gpt-5.6), openai/openai-openapi#541 and pipecat-ai/pipecat#4043
 *   (gpt-5.4), danny-avila/LibreChat#14231, onyx-dot-app/onyx#15008 (gpt-6-sol), genkit-ai/genkit#6303 (gpt-6-astra), OpenAI's
 *   own page of gpt-6-luna.
 */
export interface Model {
  /** The alias without a date, as in the price table. */
  alias: string;
  /** What a response names as its `model`: the dated snapshot, or the alias where OpenAI publishes none. */
  snapshot: string;
  /** Every id a request may name. */
  ids: string[];
  /** Prompt and answer together, in tokens. */
  contextTokens: number;
  /** The longest prompt, in tokens. */
  maxInputTokens: number;
  /** The longest answer, reasoning included, in tokens. */
  maxOutputTokens: number;
  /** Null for a model without vision. */
  image: ImageRate | null;
  /** Whether it reads PDF files. */
  files: boolean;
  /** The `reasoning_effort`s that it takes on Chat Completions; empty for a model that does not reason. */
  efforts: string[];
  /** The effort of a request that gives none: `none` from gpt-5.1 to 5.4 (OpenAI's guides to those models), else `medium`. */
  defaultEffort: string | null;
  functionTools: FunctionTools;
  takesStop: boolean;
  /** Searches the web: takes `web_search_options`, and no sampling parameters. */
  searches: boolean;
  /** Hears or speaks, and answers nothing else. Audio is not simulated, so that every request to it is refused. */
  audio: boolean;
  takesJsonSchema: boolean;
  /** From gpt-5.6 on, writing to the prompt cache is billed and reported as `cache_write_tokens`. */
  reportsCacheWrites: boolean;
  /** The day (UTC) on which OpenAI ends it, `YYYY-MM-DD`; null when none is announced. */
  shutdownDate: string | null;
}

/** How a model counts an image. */
export type ImageRate =
  | { kind: "tile"; baseTokens: number; tileTokens: number }
  | {
      kind: "patch";
      /** Tokens a patch. */
      multiplier: number;
      high: PatchLimit;
      /** Null where a model does not take `detail: "original"`. */
      original: PatchLimit | null;
      /** What `auto`, which is also no `detail` at all, means. */
      auto: "high" | "original";
    };

export interface PatchLimit {
  maxPatches: number;
  /** In pixels. */
  maxSide: number;
  /** Whether a picture over `maxPatches` is refused; else it is shrunk. */
  refuses: boolean;
}

/**
 * When Chat Completions takes function tools: always; unless an effort other than `none` is given; or only with the effort
 * `none`, which a model without that effort never has.
 */
export type FunctionTools = "always" | "unless an effort is given" | "with effort none only";

const tile = (baseTokens: number, tileTokens: number): ImageRate => ({ kind: "tile", baseTokens, tileTokens });
const shrunkTo = (maxPatches: number, maxSide: number): PatchLimit => ({ maxPatches, maxSide, refuses: false });
const patch = (multiplier: number): ImageRate => ({
  kind: "patch",
  multiplier,
  high: shrunkTo(1536, 2048),
  original: null,
  auto: "high",
});
/** From gpt-5.4 on, mini and nano aside. */
const fine = (auto: "high" | "original", original: PatchLimit): ImageRate => ({
  kind: "patch",
  multiplier: 1.2,
  high: shrunkTo(2500, 2048),
  original,
  auto,
});
const fine54 = fine("high", shrunkTo(10_000, 6000));
const fine55 = fine("original", shrunkTo(10_000, 6000));
const fine56 = fine("original", { maxPatches: 30_000, maxSide: 65_535, refuses: true });

const oSeriesEfforts = ["low", "medium", "high"];
const gpt5Efforts = ["minimal", "low", "medium", "high"];
const gpt51Efforts = ["none", "low", "medium", "high"];
const gpt52Efforts = [...gpt51Efforts, "xhigh"];
/** gpt-6-astra and gpt-6.1-sol cannot be kept from reasoning (genkit-ai/genkit#6303; OpenAI's migration guide). */
const alwaysReasoning = ["low", "medium", "high", "xhigh"];

const gpt4o = { contextTokens: 128_000, maxInputTokens: 128_000, maxOutputTokens: 16_384 };
const gpt41 = { contextTokens: 1_047_576, maxInputTokens: 1_047_576, maxOutputTokens: 32_768 };
const oSeries = { contextTokens: 200_000, maxInputTokens: 200_000, maxOutputTokens: 100_000 };
const gpt5 = { contextTokens: 400_000, maxInputTokens: 272_000, maxOutputTokens: 128_000 };
/** The input limit of gpt-5.4 and 5.5 is inferred from the others: the context less the longest answer. */
const million = { contextTokens: 1_050_000, maxInputTokens: 922_000, maxOutputTokens: 128_000 };

/** `gpt-5.6` and later, all of which reason unless told not to. */
const gpt56 = {
  ...million,
  image: fine56,
  efforts: gpt52Efforts,
  functionTools: "with effort none only",
  reportsCacheWrites: true,
} as const;

type Row = Partial<Model> & Pick<Model, "contextTokens" | "maxInputTokens" | "maxOutputTokens" | "image">;

/** @param dates the dates of its snapshots, the one that the alias points at first */
function model(alias: string, dates: string[], row: Row): Model {
  const dated = dates.map((date) => `${alias}-${date}`);
  const efforts = row.efforts ?? [];
  return {
    alias,
    snapshot: dated[0] ?? alias,
    ids: [alias, ...dated],
    files: row.image !== null,
    efforts,
    defaultEffort: efforts.length > 0 ? "medium" : null,
    functionTools: "always",
    takesStop: true,
    searches: false,
    audio: false,
    takesJsonSchema: true,
    reportsCacheWrites: false,
    shutdownDate: null,
    ...row,
  };
}

const gpt4End = "2027-01-14";
const gpt5End = "2026-12-11";
const lastOctober = "2026-10-23";

export const MODELS: readonly Model[] = [
  model("gpt-4o", ["2024-08-06", "2024-11-20"], { ...gpt4o, image: tile(85, 170), shutdownDate: gpt4End }),
  model("gpt-4o-2024-05-13", [], {
    ...gpt4o,
    maxOutputTokens: 4096,
    image: tile(85, 170),
    // Structured outputs begin with gpt-4o-2024-08-06 (OpenAI's guide).
    takesJsonSchema: false,
    shutdownDate: lastOctober,
  }),
  model("gpt-4o-mini", ["2024-07-18"], { ...gpt4o, image: tile(2833, 5667), shutdownDate: gpt4End }),
  ...["gpt-4o-search-preview", "gpt-4o-mini-search-preview"].map((alias) =>
    model(alias, ["2025-03-11"], { ...gpt4o, image: tile(85, 170), searches: true, shutdownDate: "2026-07-23" }),
  ),
  model("gpt-4.1", ["2025-04-14"], { ...gpt41, image: tile(85, 170), shutdownDate: gpt4End }),
  model("gpt-4.1-mini", ["2025-04-14"], { ...gpt41, image: patch(1.62), shutdownDate: gpt4End }),
  model("gpt-4.1-nano", ["2025-04-14"], { ...gpt41, image: patch(2.46), shutdownDate: lastOctober }),
  model("gpt-audio", ["2025-08-28"], { ...gpt4o, image: null, audio: true, shutdownDate: "2027-01-20" }),
  model("gpt-audio-mini", ["2025-12-15"], { ...gpt4o, image: null, audio: true, shutdownDate: "2027-01-20" }),
  model("gpt-audio-1.5", [], { ...gpt4o, image: null, audio: true }),
  model("o1-mini", ["2024-09-12"], {
    contextTokens: 128_000,
    maxInputTokens: 128_000,
    maxOutputTokens: 65_536,
    image: null,
    efforts: oSeriesEfforts,
    takesJsonSchema: false,
    shutdownDate: "2025-10-27",
  }),
  model("o1", ["2024-12-17"], {
    ...oSeries,
    image: tile(75, 150),
    efforts: oSeriesEfforts,
    shutdownDate: lastOctober,
  }),
  model("o3-mini", ["2025-01-31"], { ...oSeries, image: null, efforts: oSeriesEfforts, shutdownDate: lastOctober }),
  model("o3", ["2025-04-16"], {
    ...oSeries,
    image: tile(75, 150),
    efforts: oSeriesEfforts,
    takesStop: false,
    shutdownDate: gpt5End,
  }),
  model("o4-mini", ["2025-04-16"], {
    ...oSeries,
    image: patch(1.72),
    efforts: oSeriesEfforts,
    takesStop: false,
    shutdownDate: lastOctober,
  }),
  model("gpt-5", ["2025-08-07"], { ...gpt5, image: tile(70, 140), efforts: gpt5Efforts, shutdownDate: gpt5End }),
  model("gpt-5-mini", ["2025-08-07"], { ...gpt5, image: patch(1.62), efforts: gpt5Efforts, shutdownDate: gpt5End }),
  model("gpt-5-nano", ["2025-08-07"], { ...gpt5, image: patch(2.46), efforts: gpt5Efforts, shutdownDate: gpt5End }),
  // OpenAI publishes no picture rate for it: inferred to be gpt-5's.
  model("gpt-5-search-api", ["2025-10-14"], { ...gpt5, image: tile(70, 140), searches: true }),
  model("gpt-5.1", ["2025-11-13"], {
    ...gpt5,
    image: tile(70, 140),
    efforts: gpt51Efforts,
    defaultEffort: "none",
    shutdownDate: "2027-04-01",
  }),
  model("gpt-5.2", ["2025-12-11"], { ...gpt5, image: patch(1.2), efforts: gpt52Efforts, defaultEffort: "none" }),
  model("gpt-5.4", ["2026-03-05"], {
    ...million,
    image: fine54,
    efforts: gpt52Efforts,
    defaultEffort: "none",
    functionTools: "unless an effort is given",
  }),
  model("gpt-5.4-mini", ["2026-03-17"], {
    ...gpt5,
    image: patch(1.62),
    efforts: gpt52Efforts,
    defaultEffort: "none",
    functionTools: "unless an effort is given",
  }),
  model("gpt-5.4-nano", ["2026-03-17"], {
    ...gpt5,
    image: patch(2.46),
    efforts: gpt52Efforts,
    defaultEffort: "none",
    functionTools: "unless an effort is given",
    shutdownDate: "2027-04-01",
  }),
  model("gpt-5.5", ["2026-04-23"], {
    ...million,
    image: fine55,
    efforts: gpt52Efforts,
    functionTools: "unless an effort is given",
  }),
  // The model behind ChatGPT. Its picture rate and its tools are inferred to be gpt-5.5's.
  model("chat-latest", [], {
    ...gpt5,
    image: fine55,
    efforts: ["medium"],
    functionTools: "unless an effort is given",
  }),
  // The alias `gpt-5.6` is gpt-5.6-sol (OpenAI's list of models).
  { ...model("gpt-5.6-sol", [], gpt56), ids: ["gpt-5.6-sol", "gpt-5.6"] },
  model("gpt-5.6-terra", [], gpt56),
  model("gpt-5.6-luna", [], gpt56),
  model("gpt-6-astra", [], { ...gpt56, efforts: alwaysReasoning }),
  model("gpt-6-sol", [], gpt56),
  model("gpt-6-luna", [], gpt56),
  model("gpt-6.1-sol", [], { ...gpt56, efforts: alwaysReasoning }),
  // Inferred to take tools as gpt-6-luna does: LiteLLM's table has the effort `none` for it.
  model("gpt-6.1-terra", [], gpt56),
  // OpenAI's page of gpt-6.2-sol: it refuses the effort `none`, and calls tools through the Responses API. gpt-6.2-astra: LiteLLM
  // says the same of its efforts (BerriAI/litellm#52347), Vercel's gateway the same limits; its tools are inferred.
  model("gpt-6.2-astra", [], { ...gpt56, efforts: alwaysReasoning }),
  model("gpt-6.2-sol", [], { ...gpt56, efforts: alwaysReasoning }),
];

/** Models of which only the end is known here: nobody can ask for them any more. */
const LONG_GONE = [
  ...["gpt-4-turbo", "gpt-4-turbo-2024-04-09", "gpt-4-1106-preview", "gpt-4", "gpt-4-0613"],
  ...["gpt-3.5-turbo", "gpt-3.5-turbo-0125", "gpt-3.5-turbo-1106", "gpt-3.5-turbo-16k", "gpt-4-32k"],
  ...["gpt-4-0125-preview", "gpt-4-turbo-preview", "gpt-4-0314", "gpt-4-vision-preview", "o1-preview"],
  ...["chatgpt-4o-latest", "gpt-5-chat-latest", "gpt-5.1-chat-latest", "gpt-5.2-chat-latest", "gpt-5.3-chat-latest"],
  // LiteLLM 1.110.2's table.
  "gpt-audio-mini-2025-10-06",
];

const BY_ID = new Map(MODELS.flatMap((entry) => entry.ids.map((id) => [id, entry] as const)));

function isServed({ shutdownDate }: Model, now: Date): boolean {
  return shutdownDate === null || now.getTime() < Date.parse(shutdownDate);
}

/** @throws OpenAIError 404 `model_not_found`, for a model that has ended and for one that never was */
export function findModel(id: string, now: Date): Model {
  const found = BY_ID.get(id);
  if (found && isServed(found, now)) return found;
  // As for text-davinci-003, the last models that ended before 2026 (openai/openai-quickstart-node#127).
  const message =
    found || LONG_GONE.includes(id)
      ? `The model \`${id}\` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations`
      : `The model \`${id}\` does not exist or you do not have access to it.`;
  throw openAIError(404, message, { code: "model_not_found" });
}

/** The name that a response to a request for `id` carries: a snapshot stays itself, an alias becomes its snapshot. */
export function snapshotOf(model: Model, id: string): string {
  return /-\d{4}-\d\d-\d\d$/.test(id) ? id : model.snapshot;
}

/** 2026-01-01, for models whose id tells no date. */
const UNDATED_CREATED = 1_767_225_600;

/** One entry of `GET /v1/models`; `created` is in Unix seconds. @throws OpenAIError 404 */
export function modelObject(id: string, now: Date) {
  const model = findModel(id, now);
  const date = /\d{4}-\d\d-\d\d$/.exec(snapshotOf(model, id))?.[0];
  const created = date ? Date.parse(date) / 1000 : UNDATED_CREATED;
  return { id, object: "model", created, owned_by: "system", shutdown_date: model.shutdownDate };
}

/** `GET /v1/models`: those that are served now. */
export function modelList(now: Date): object {
  const ids = MODELS.filter((model) => isServed(model, now)).flatMap((model) => model.ids);
  return { object: "list", data: ids.map((id) => modelObject(id, now)) };
}
