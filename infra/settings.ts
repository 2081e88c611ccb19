import * as z from "zod";
import { modelName } from "../packages/core/src/model/name.ts";
import { parsePrices } from "../packages/core/src/usage/price.ts";

const days = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, "Give a whole number of days from 1 to 9999, or leave it out to keep everything.")
  .transform(Number);

/**
 * What a deployer may set, as environment variables of `sst deploy`. A wrong one stops the deployment, since a function that
 * finds it out would not start.
 */
const schema = z.object({
  /** The API's own name, such as api.example.com. */
  DOMAIN: z
    .string()
    .regex(/^([a-z0-9-]+\.)+[a-z]{2,}$/, "Give a name such as api.example.com, without https:// and path.")
    .optional(),
  /** A certificate for it, where its DNS is not in Route 53. */
  DOMAIN_CERTIFICATE: z
    .string()
    .regex(/^arn:aws[\w-]*:acm:/, "Give the ARN of a certificate in AWS Certificate Manager.")
    .optional(),
  /** Another server than OpenAI's own that speaks its protocol. */
  OPENAI_BASE_URL: z
    .url({ protocol: /^https?$/, error: "Give an address such as https://api.openai.com/v1." })
    .optional(),
  /** The model of requests that name none. gpt-6-luna is what OpenAI names as the replacement of gpt-4o-mini. */
  DEFAULT_MODEL: z
    .string()
    .refine((name) => modelName.safeParse(name).success, "Give a model's name, such as gpt-6-luna.")
    .default("gpt-6-luna"),
  /** The stage's own prices: see `parsePriceOverrides`. */
  PRICES: z.string().superRefine(checkPrices).optional(),
  /** Whether images are shrunk, before they are sent, to the size to which OpenAI would shrink them. */
  SHRINK_IMAGES: z
    .enum(["true", "false"], "Give true or false.")
    .default("false")
    .transform((value) => value === "true"),
  /** How long a result is kept once it has ended: for ever when left out. */
  RESULT_TTL_DAYS: days.optional(),
  /** How long an uploaded image is kept: for ever when left out. */
  UPLOAD_TTL_DAYS: days.optional(),
  /** A key of KMS of your own with which S3 encrypts what lies in the bucket. S3 uses a key of its own when this is left out. */
  BUCKET_KMS_KEY_ARN: z
    .string()
    .regex(
      /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/,
      "Give the ARN of a key, such as arn:aws:kms:us-east-1:123456789012:key/…, and not of an alias.",
    )
    .optional(),
  /** Who is told of alarms. */
  ALARM_EMAIL: z.email("Give one e-mail address.").optional(),
  /** What OpenAI may cost in 24 hours before somebody is told: $10 a day is $300 a month, which nobody should learn from the bill. */
  DAILY_SPEND_USD: z
    .string()
    .regex(/^(?=.*[1-9])\d{1,6}(\.\d{1,2})?$/, "Give dollars, such as 25 or 0.50.")
    .transform(Number)
    .default(10),
});

export const settings = read(process.env);

/**
 * Whether alarms and the dashboard are made: for production, and wherever somebody wants to be told. Beyond CloudWatch's free
 * tier they cost $5 a month, too much for every developer's own stage. `local` is the stage of infra/manifest.json, where they are reviewed.
 */
export const isWatched = ["production", "local"].includes($app.stage) || settings.ALARM_EMAIL !== undefined;

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
