import * as z from "zod";
import { parsePrices } from "../packages/core/src/config.ts";

const days = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, "Give a whole number of days from 1 to 9999, or leave it out to keep everything.")
  .transform(Number);

/**
 * What a deployer may set, as environment variables of `sst deploy`. A wrong one stops the deployment, since a function that
 * finds it out would not start.
 */
const schema = z.object({
  /** Another server than OpenAI's own that speaks its protocol. */
  OPENAI_BASE_URL: z
    .url({ protocol: /^https?$/, error: "Give an address such as https://api.openai.com/v1." })
    .optional(),
  /** The stage's own prices: see `parsePriceOverrides`. */
  PRICES: z.string().superRefine(checkPrices).optional(),
  /** How long a result is kept once it has ended: for ever when left out. */
  RESULT_TTL_DAYS: days.optional(),
  /** How long an uploaded image is kept: for ever when left out. */
  UPLOAD_TTL_DAYS: days.optional(),
});

export const settings = read(process.env);

/** A variable that is empty is not set: so do CI systems hand on what they do not have. */
function read(environment: NodeJS.ProcessEnv) {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) => [...path, message].join(": "));
  throw new Error(wrong.join("\n"));
}

function checkPrices(json: string, context: z.RefinementCtx): void {
  try {
    parsePrices(json);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message.replace(/^PRICES: /, "") });
  }
}
