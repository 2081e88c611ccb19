import { expect, test } from "vitest";
import { models } from "../../../packages/core/src/model/catalogue.ts";
import { type ImageRule, type Model, modelNamed } from "../../../packages/core/src/model/model.ts";
import { type ImageRate, MODELS, type Model as SimulatedModel } from "../../../packages/local/src/openai/models.ts";

// Two tables of what OpenAI's models are, each with sources of its own. What one of them has wrong shows here.

/** Where the two differ today, and why: no other difference may be there, and none of these may be gone. */
const notSimulated = "It has ended, and the simulated OpenAI only knows that.";
const searchTools =
  "OpenAI's pages list no function calling for search models, and nobody has a 400 to show: the catalogue is careful.";
const searchPictures =
  "OpenAI's pages say text alone, and LiteLLM's table pictures. A row without a rule is reserved at the dearest rule.";
const smallPictures =
  "OpenAI's guide says 1,536 patches, and users were billed for 2,500: a reservation takes the dearer.";
const chatLatestEfforts =
  "No source says which efforts it takes. The product sends it none of its own accord, whichever is right.";
const differences: Record<string, string> = {
  "chat-latest.defaultEffort": chatLatestEfforts,
  "chat-latest.efforts": chatLatestEfforts,
  "gpt-3.5-turbo": notSimulated,
  "gpt-4": notSimulated,
  "gpt-4-turbo": notSimulated,
  "gpt-4o-mini-search-preview.chatTools": searchTools,
  "gpt-4o-mini-search-preview.images": searchPictures,
  "gpt-4o-search-preview.chatTools": searchTools,
  "gpt-4o-search-preview.images": searchPictures,
  "gpt-5-search-api.chatTools": searchTools,
  "gpt-5-search-api.images": searchPictures,
  "gpt-5.4-mini.images": smallPictures,
  "gpt-5.4-nano.images": smallPictures,
  "gpt-audio-mini-2025-10-06": notSimulated,
  "o1-mini":
    "It ended in 2025, before the catalogue began. The simulated OpenAI has it for what it answers of a model that has ended.",
};

const rateOf = (rule: ImageRule | null) => {
  if (rule === null) return null;
  if (rule.kind === "tiles") return { base: rule.base, tile: rule.tile };
  const { tokensPerPatch, high, original, autoIsOriginal } = rule;
  return { tokensPerPatch, high, original, auto: autoIsOriginal ? "original" : "high" };
};

const simulatedRateOf = (rate: ImageRate | null) => {
  if (rate === null) return null;
  if (rate.kind === "tile") return { base: rate.baseTokens, tile: rate.tileTokens };
  const limit = (given: typeof rate.original) => given && { maxPatches: given.maxPatches, maxSide: given.maxSide };
  return {
    tokensPerPatch: rate.multiplier,
    high: limit(rate.high),
    original: limit(rate.original),
    auto: rate.auto,
  };
};

const toolsOf = {
  always: "always",
  "unless an effort is given": "no effort",
  "with effort none only": "effort none",
} as const satisfies Record<SimulatedModel["functionTools"], Model["chatTools"]>;

/** What both tables tell, of the catalogue's. */
const factsOf = ({ ends, contextTokens, maxOutputTokens, images, efforts, defaultEffort, chatTools }: Model) => ({
  ends: ends?.on ?? null,
  contextTokens,
  maxOutputTokens,
  images: rateOf(images),
  efforts,
  defaultEffort,
  // A model without the effort `none` never has it.
  chatTools: chatTools === "never" ? "effort none" : chatTools,
});

const simulatedFactsOf = (model: SimulatedModel) => ({
  ends: model.shutdownDate,
  contextTokens: model.contextTokens,
  maxOutputTokens: model.maxOutputTokens,
  images: simulatedRateOf(model.image),
  efforts: model.efforts,
  defaultEffort: model.defaultEffort,
  chatTools: toolsOf[model.functionTools],
});

/** `gpt-4o.ends`, or `gpt-4o` alone when one table has no such model. */
function differencesBetween(catalogue: readonly Model[], simulated: readonly SimulatedModel[]): string[] {
  const names = new Set([...catalogue.map(({ name }) => name), ...simulated.map(({ alias }) => alias)]);
  return [...names].flatMap((name) => {
    const own = catalogue.find((model) => model.name === name);
    const other = simulated.find((model) => model.alias === name);
    if (!own || !other) return [name];
    const [facts, simulatedFacts] = [factsOf(own), simulatedFactsOf(other)];
    return (Object.keys(facts) as (keyof typeof facts)[])
      .filter((fact) => JSON.stringify(facts[fact]) !== JSON.stringify(simulatedFacts[fact]))
      .map((fact) => `${name}.${fact}`);
  });
}

test("the catalogue and the simulated OpenAI differ where it is written down, and nowhere else", () => {
  expect(differencesBetween(models, MODELS).sort()).toEqual(Object.keys(differences).sort());
});

test("every id that the simulated OpenAI knows leads to the catalogue's row of the same model", () => {
  const known = new Set(models.map(({ name }) => name));
  const rows = MODELS.filter(({ alias }) => known.has(alias)).flatMap(({ alias, ids }) => ids.map((id) => [id, alias]));
  expect(rows.length).toBeGreaterThan(40);
  expect(rows.map(([id = ""]) => [id, modelNamed(id)?.model.name])).toEqual(rows);
});

test("a fact that changes in one of the two tables is a difference", () => {
  const [first, ...rest] = MODELS as [SimulatedModel, ...SimulatedModel[]];
  const changed = [{ ...first, shutdownDate: "2030-01-01", contextTokens: 7 }, ...rest];
  const before = differencesBetween(models, MODELS);
  expect(differencesBetween(models, changed).filter((name) => !before.includes(name))).toEqual([
    `${first.alias}.ends`,
    `${first.alias}.contextTokens`,
  ]);
});
