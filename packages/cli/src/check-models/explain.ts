import type { Difference } from "./compare.ts";
import type { CatalogueName, Value } from "./facts.ts";

/** Why differences are right here. It holds for what the other catalogue says today: when that changes, the difference shows again. */
export interface Explanation {
  catalogue: CatalogueName;
  /** Each of these names, or all that match. */
  models: readonly string[] | RegExp;
  fields: readonly string[];
  /** What the other catalogue says: `"listed"` and `"missing"` of the field `model`. */
  theirs: Value;
  because: string;
}

export interface Explained {
  unexplained: Difference[];
  explained: { difference: Difference; because: string }[];
  /** What an explanation names and no difference has any more. */
  unused: { explanation: Explanation; what: string }[];
}

/** Which differences are explained, and which explanations explain nothing. Those of a catalogue that is not `compared` are left out. */
export function explain(
  differences: readonly Difference[],
  explanations: readonly Explanation[],
  compared: readonly CatalogueName[],
): Explained {
  const result: Explained = { unexplained: [], explained: [], unused: [] };
  for (const difference of differences) {
    const explanation = explanations.find((candidate) => explains(candidate, difference));
    if (explanation) result.explained.push({ difference, because: explanation.because });
    else result.unexplained.push(difference);
  }
  for (const explanation of explanations.filter(({ catalogue }) => compared.includes(catalogue)))
    for (const part of partsOf(explanation))
      if (!differences.some((difference) => explains(part, difference)))
        result.unused.push({ explanation, what: `${part.models} "${part.fields}"` });
  return result;
}

const explains = ({ catalogue, models, fields, theirs }: Explanation, difference: Difference): boolean =>
  difference.catalogue === catalogue &&
  (models instanceof RegExp ? models.test(difference.model) : models.includes(difference.model)) &&
  fields.includes(difference.field) &&
  difference.theirs === theirs;

/** Every model with every field: each has to explain something. */
const partsOf = (explanation: Explanation): Explanation[] =>
  explanation.fields.flatMap((field) =>
    (explanation.models instanceof RegExp ? [explanation.models] : explanation.models.map((model) => [model])).map(
      (models) => ({ ...explanation, models, fields: [field] }),
    ),
  );
