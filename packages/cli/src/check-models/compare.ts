import { spellingOf } from "@tollgate/core/model/model";
import type { Catalogue, CatalogueName, Facts, Value } from "./facts.ts";
import type { OwnCatalogue } from "./own.ts";

/** Core and another catalogue say different things of one model. */
export interface Difference {
  catalogue: CatalogueName;
  model: string;
  /** `model` itself when one of the two has no such model: then `ours` and `theirs` are "listed" or "missing". */
  field: string;
  ours: Value | readonly Value[];
  theirs: Value;
}

export interface Comparison {
  differences: Difference[];
  /** How many facts were compared. */
  facts: number;
}

/**
 * Compares what each of the other catalogues says with what core says. A model that core does not have is no difference when one
 * of them says that it has ended, or that Chat Completions does not serve it: nobody can ask for it. When none of them can say
 * so, models of a catalogue that mixes APIs are not looked at for that.
 */
export function compare(own: OwnCatalogue, others: readonly Catalogue[], today: Date): Comparison {
  const isServed = servedBy(others, today);
  const apisAreKnown = others.some(({ elsewhere }) => elsewhere !== undefined);
  const comparison: Comparison = { differences: [], facts: 0 };
  for (const { name: catalogue, models, mixesApis } of others) {
    const differ = (model: string, field: string, ours: Difference["ours"], theirs: Value) =>
      comparison.differences.push({ catalogue, model, field, ours, theirs });

    for (const [model, theirs] of models) {
      const ours = own.factsOf(model);
      if (ours === null) {
        if (isServed(model) && (apisAreKnown || !mixesApis)) differ(model, "model", "missing", "listed");
        continue;
      }
      for (const [field, value] of theirs) {
        const known = ours.get(field) ?? null;
        comparison.facts += 1;
        if (!agree(known, value)) differ(model, field, known, value);
      }
    }
    for (const model of own.servedNames) if (!models.has(model)) differ(model, "model", "listed", "missing");
  }
  return comparison;
}

const agree = (ours: Difference["ours"], theirs: Value): boolean =>
  isList(ours) ? ours.includes(theirs) : ours === theirs;

const isList = (ours: Difference["ours"]): ours is readonly Value[] => Array.isArray(ours);

function servedBy(others: readonly Catalogue[], today: Date): (model: string) => boolean {
  const day = today.toISOString().slice(0, 10);
  const isPast = (facts: Facts | undefined) => {
    const ends = facts?.get("ends");
    return typeof ends === "string" && ends <= day;
  };
  // Azure writes `gpt-5-1-codex`, where the other catalogue has OpenAI's own `gpt-5.1-codex`.
  return (model) =>
    ![model, spellingOf(model)].some((name) =>
      others.some(({ models, elsewhere }) => elsewhere?.has(name) || isPast(models.get(name))),
    );
}

/** `litellm gpt-4o "cached input (batch)": ours 0.625, theirs 1.25`. */
export function lineOf({ catalogue, model, field, ours, theirs }: Difference): string {
  const told = (value: Difference["ours"]) =>
    isList(value) ? value.map(String).join(" or ") : String(value ?? "none");
  return `${catalogue} ${model} "${field}": ours ${told(ours)}, theirs ${told(theirs)}`;
}
