import { compare, lineOf } from "./compare.ts";
import { type Explanation, explain } from "./explain.ts";
import type { Catalogue, CatalogueName } from "./facts.ts";
import type { OwnCatalogue } from "./own.ts";

export interface Question {
  own: OwnCatalogue;
  others: readonly Catalogue[];
  /** Those that could not be had. */
  missing: readonly CatalogueName[];
  explanations: readonly Explanation[];
  today: Date;
  /** Tell the explained differences, too. */
  withExplained: boolean;
}

/** What the command prints, and its status: 2 when a catalogue is missing, else 1 when something wants mending, else 0. */
export function report({ own, others, missing, explanations, today, withExplained }: Question) {
  const { differences, facts } = compare(own, others, today);
  const compared = others.map(({ name }) => name);
  const { unexplained, explained, unused } = explain(differences, explanations, compared);
  // What one catalogue says decides whether a model of another's is missing, so that without it nothing is known of these.
  const nothing = missing.length > 0 ? [] : unused;
  const names = others.map(({ name, models }) => `${name} (${models.size} models)`).join(", ") || "no catalogue";
  const lines = [
    ...unexplained.map(lineOf),
    ...(withExplained
      ? explained.map(({ difference, because }) => `${lineOf(difference)}\n    right here: ${because}`)
      : []),
    ...nothing.map(
      ({ explanation: { catalogue, theirs, because }, what }) =>
        `explains nothing any more: ${catalogue} ${what}, theirs ${theirs}: ${because}`,
    ),
    `${facts} facts compared with ${names}: ${unexplained.length} differences without an explanation, ` +
      `${explained.length} with one, ${nothing.length} explanations of nothing${missing.length > 0 ? `; ${missing.join(", ")} could not be had` : ""}.`,
  ];
  const status = missing.length > 0 ? 2 : unexplained.length + nothing.length > 0 ? 1 : 0;
  return { lines, status };
}
