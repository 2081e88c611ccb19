import * as z from "zod";
import { schemaNames } from "../schemas/index.ts";

export { metadata } from "./metadata.ts";

// What an upload has as well. Beside no other schema: a function that only takes uploads would make them all.

/** Read from the registry, so that the document lists what there is. */
export const schemaName = z.enum(schemaNames, { error: `There are: ${schemaNames.join(", ")}.` }).meta({
  description: "A registered structured output (`GET /schemas`): its instructions and its `response_format`.",
});
