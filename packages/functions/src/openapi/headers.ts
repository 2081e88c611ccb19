import { idempotencyKey } from "@tollgate/core/completion/caller";
import * as z from "zod";

/** Of every response. */
export const requestId = {
  "x-request-id": z.string().meta({ description: "Names the request in the logs.", header: { required: true } }),
};

/** Of a response that tells of a result. */
export const resultHeaders = {
  ...requestId,
  "x-tollgate-result": z.string().meta({ description: "The result's id.", header: { required: true } }),
};

/** Of a response that may be given again. */
export const replayed = {
  "idempotent-replayed": z
    .literal("true")
    .optional()
    .meta({ description: "Present when the result was stored before: nothing was asked of OpenAI." }),
};

export const retryAfter = {
  "Retry-After": z
    .string()
    .regex(/^[0-9]+$/)
    .optional()
    .meta({ description: "Seconds after which to ask again, when they are known.", examples: ["5"] }),
};

/** Of a request that OpenAI is asked for. */
export const idempotencyHeader = z.object({
  "Idempotency-Key": idempotencyKey.optional().meta({
    description:
      "Makes asking again safe: the same key and request give the stored result for as long as it is kept, and OpenAI is asked and paid once.",
    examples: ["order-7"],
  }),
});

/** Of a request that may take long. */
export const askingHeaders = idempotencyHeader.extend({
  Prefer: z
    .string()
    .optional()
    .meta({
      description: "`respond-async`: the answer is 202 at once, and the work is done later (RFC 7240).",
      examples: ["respond-async"],
    }),
});

/** Of a response to work that is done later. */
export const accepted = {
  "preference-applied": z.literal("respond-async"),
  location: z.string().meta({ description: "Where the result can be read." }),
};
