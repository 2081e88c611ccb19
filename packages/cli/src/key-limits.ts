import type { KeyLimits } from "@tollgate/core/key/limits";
import * as z from "zod";
import { UsageError } from "./command.ts";

/** OpenAI's names, and those of other servers: `llama3.2:latest`, `org/model`. No commas, which separate them. */
const modelName = /^[\w.:/-]{1,256}$/;

const nanoUsdPerUsd = 1_000_000_000n;

const budget = z
  .string()
  .regex(/^\$?\d{1,6}(\.\d{1,9})?$/, "Give dollars a month, such as 50 or 0.25.")
  .transform((text) => {
    const [dollars = "", decimals = ""] = text.replace("$", "").split(".");
    return Number(BigInt(dollars) * nanoUsdPerUsd + BigInt(decimals.padEnd(9, "0")));
  });

const models = z
  .string()
  .transform((text) => text.split(",").map((name) => name.trim()))
  .pipe(
    z
      .array(z.string().regex(modelName, "Give names of models, separated by commas: gpt-4o-mini,gpt-4o."))
      .max(50, "At most 50 models."),
  );

const rpm = z
  .string()
  .regex(/^[1-9]\d{0,5}$/, "Give a whole number of requests a minute, 1 or more.")
  .transform(Number);

const maxOutputTokens = z
  .string()
  .regex(/^[1-9]\d{0,6}$/, "Give a whole number of tokens, 1 or more.")
  .transform(Number);

const options = { "budget-usd": budget, models, rpm, "max-output-tokens": maxOutputTokens };

/** The limits that the options name. Throws `UsageError`, naming the option that is wrong. */
export function parseKeyLimits(values: { [K in keyof typeof options]?: string | undefined }): KeyLimits {
  const read = <T>(name: keyof typeof options, schema: z.ZodType<T>): T | null => {
    const value = values[name];
    if (value === undefined) return null;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new UsageError(`--${name} ${value}: ${parsed.error.issues[0]?.message}`);
  };
  const limits = {
    budgetNanoUsd: read("budget-usd", budget),
    models: read("models", models),
    rpm: read("rpm", rpm),
    maxOutputTokens: read("max-output-tokens", maxOutputTokens),
  };
  if (limits.maxOutputTokens !== null && limits.budgetNanoUsd === null)
    throw new UsageError("--max-output-tokens bounds what a budget reserves. Give --budget-usd as well.");
  return limits;
}
