import * as z from "zod";
import { pairsOf } from "../pairs.ts";
import { schemaNames } from "../schemas/index.ts";
import { textOf } from "../text.ts";

// What an upload has as well. Beside no other schema: a function that only takes uploads would make them all.

/** OpenAI's limits. */
const maxPairs = 16;
export const metadata = pairsOf(textOf({ min: 1, max: 64 }), textOf({ max: 512 }))
  .refine((pairs) => Object.keys(pairs).length <= maxPairs, `At most ${maxPairs} pairs.`)
  .meta({ id: "Metadata", maxProperties: maxPairs, description: "Your own names and values, kept with the result." });

/** Read from the registry, so that the document lists what there is. */
export const schemaName = z.enum(schemaNames, { error: `There are: ${schemaNames.join(", ")}.` }).meta({
  description: "A registered structured output (`GET /schemas`): its instructions and its `response_format`.",
});
