import { openAIError } from "./error.ts";

/** How a model counts an image, by OpenAI's vision guide as of November 2026. */
export type ImageRate =
  | { kind: "tile"; baseTokens: number; tileTokens: number }
  /** `originalMaxPatches` is the cap at `detail: "original"`; null where a model does not take it. */
  | { kind: "patch"; multiplier: number; maxPatches: number; originalMaxPatches: number | null };

export interface Model {
  /** The alias without a date, as in the price table. */
  alias: string;
  /** What a response names as its `model`: the dated snapshot, or the alias where OpenAI publishes none. */
  snapshot: string;
  /** Every id a request may name. */
  ids: string[];
  /** Null for a model without vision. */
  image: ImageRate | null;
  /** The `reasoning_effort`s it takes; empty for a model that does not reason. */
  efforts: string[];
  takesStop: boolean;
  /** From gpt-5.6 on, writing to the prompt cache is billed and reported as `cache_write_tokens`. */
  reportsCacheWrites: boolean;
}

const tile = (baseTokens: number, tileTokens: number): ImageRate => ({ kind: "tile", baseTokens, tileTokens });
const patch = (multiplier: number): ImageRate => ({
  kind: "patch",
  multiplier,
  maxPatches: 1536,
  originalMaxPatches: null,
});
/** From gpt-5.4 on. */
const FINE_PATCHES: ImageRate = { kind: "patch", multiplier: 1, maxPatches: 2500, originalMaxPatches: 10_000 };

const O_SERIES = ["low", "medium", "high"];
const GPT_5 = ["minimal", "low", "medium", "high"];
const GPT_5_1 = ["none", "low", "medium", "high"];
const GPT_5_2 = [...GPT_5_1, "xhigh"];
const GPT_5_6 = [...GPT_5_2, "max"];

function model(alias: string, dates: string[], image: ImageRate | null, rest: Partial<Model> = {}): Model {
  const dated = dates.map((date) => `${alias}-${date}`);
  return {
    alias,
    snapshot: dated[0] ?? alias,
    ids: [alias, ...dated],
    image,
    efforts: [],
    takesStop: true,
    reportsCacheWrites: false,
    ...rest,
  };
}

/**
 * Every model of the price table. The first date is the snapshot that the alias points at. Ids and dates are those of
 * the openai client 7.57 (`ChatModel`); gpt-5.6 and gpt-6 have no dated snapshots there.
 */
export const MODELS: readonly Model[] = [
  model("gpt-4o", ["2024-08-06", "2024-05-13", "2024-11-20"], tile(85, 170)),
  model("gpt-4o-mini", ["2024-07-18"], tile(2833, 5667)),
  model("gpt-4.1", ["2025-04-14"], tile(85, 170)),
  model("gpt-4.1-mini", ["2025-04-14"], patch(1.62)),
  model("gpt-4.1-nano", ["2025-04-14"], patch(2.46)),
  model("o1", ["2024-12-17"], tile(75, 150), { efforts: O_SERIES }),
  model("o3", ["2025-04-16"], tile(75, 150), { efforts: O_SERIES, takesStop: false }),
  model("o3-mini", ["2025-01-31"], null, { efforts: O_SERIES }),
  model("o4-mini", ["2025-04-16"], patch(1.72), { efforts: O_SERIES, takesStop: false }),
  model("gpt-5", ["2025-08-07"], tile(70, 140), { efforts: GPT_5 }),
  model("gpt-5-mini", ["2025-08-07"], patch(1.62), { efforts: GPT_5 }),
  model("gpt-5-nano", ["2025-08-07"], patch(2.46), { efforts: GPT_5 }),
  model("gpt-5.1", ["2025-11-13"], tile(70, 140), { efforts: GPT_5_1 }),
  model("gpt-5.2", ["2025-12-11"], patch(1), { efforts: GPT_5_2 }),
  model("gpt-5.4", ["2026-03-05"], FINE_PATCHES, { efforts: GPT_5_2 }),
  model("gpt-5.4-mini", ["2026-03-17"], patch(1.62), { efforts: GPT_5_2 }),
  model("gpt-5.4-nano", ["2026-03-17"], patch(2.46), { efforts: GPT_5_2 }),
  model("gpt-5.5", ["2026-04-23"], FINE_PATCHES, { efforts: GPT_5_2 }),
  ...["gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-6-astra", "gpt-6-sol", "gpt-6-luna"].map((alias) =>
    model(alias, [], FINE_PATCHES, { efforts: GPT_5_6, reportsCacheWrites: true }),
  ),
];

const BY_ID = new Map(MODELS.flatMap((entry) => entry.ids.map((id) => [id, entry] as const)));

/** @throws OpenAIError 404 `model_not_found` */
export function findModel(id: string): Model {
  const found = BY_ID.get(id);
  if (found) return found;
  throw openAIError(404, `The model \`${id}\` does not exist or you do not have access to it.`, {
    code: "model_not_found",
  });
}

/** The name that a response to a request for `id` carries: a snapshot stays itself, an alias becomes its snapshot. */
export function snapshotOf(model: Model, id: string): string {
  return id === model.alias ? model.snapshot : id;
}

/** 2026-01-01, for models whose id tells no date. */
const UNDATED_CREATED = 1_767_225_600;

/** One entry of `GET /v1/models`; `created` is in Unix seconds. */
export function modelObject(id: string) {
  const date = /\d{4}-\d\d-\d\d$/.exec(snapshotOf(findModel(id), id))?.[0];
  const created = date ? Date.parse(date) / 1000 : UNDATED_CREATED;
  return { id, object: "model", created, owned_by: "system" };
}
