import { pairsOf } from "../pairs.ts";
import { textOf } from "../text.ts";

/** OpenAI's limits. */
const maxPairs = 16;
export const metadata = pairsOf(textOf({ min: 1, max: 64 }), textOf({ max: 512 }))
  .refine((pairs) => Object.keys(pairs).length <= maxPairs, `At most ${maxPairs} pairs.`)
  .meta({ id: "Metadata", maxProperties: maxPairs, description: "Your own names and values, kept with the result." });
