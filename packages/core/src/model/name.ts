import * as z from "zod";

/** A name is part of the counters' keys (usage/ledger.ts). */
export const maxModelNameLength = 256;

const rule = `Use 1 to ${maxModelNameLength} printable ASCII characters.`;

export const modelName = z
  .string()
  .max(maxModelNameLength, rule)
  .regex(/^[ -~]+$/, rule)
  .meta({
    description: "OpenAI's name of a model. One that OpenAI does not know is 404 `model_not_found`.",
    examples: ["gpt-6-luna"],
  });
