import { boundedString } from "../validation/bounded-string.ts";
import { recordOf } from "../validation/record.ts";

/** OpenAI's limits. */
const maxPairs = 16;
export const metadata = recordOf(boundedString({ min: 1, max: 64 }), boundedString({ max: 512 }))
  .refine((pairs) => Object.keys(pairs).length <= maxPairs, `At most ${maxPairs} pairs.`)
  .meta({ id: "Metadata", maxProperties: maxPairs, description: "Your own names and values, kept with the result." });

/**
 * Metadata belongs to our result. OpenAI takes it only beside `store: true`, and answers 400 otherwise: "The 'metadata' parameter is only
 * allowed when 'store' is enabled." (langchaingo#1484, axonhub#1380; 2026-04).
 */
export const metadataStaysHere = ({ metadata, store }: { metadata?: unknown; store?: unknown }): boolean =>
  metadata != null && store !== true;
