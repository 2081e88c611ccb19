import type { Table } from "../dynamodb/table.ts";
import { AppError } from "../error.ts";
import { familyOf, modelNamed, spellingOf } from "../model/model.ts";
import type { CallerKey } from "./limits.ts";
import { countRequest } from "./rate.ts";

/**
 * null allows every model. A family (`gpt-4o-mini`) allows its dated snapshots, an alias the same as the name it stands for, and each
 * of them every spelling that leads to it (`openai/gpt-4o-mini`). A snapshot and a fine-tuned model allow themselves alone.
 */
export const isModelAllowed = (models: readonly string[] | null, model: string): boolean =>
  models === null || allowedBy(model).some((name) => models.includes(name));

/** The names in a key's list that allow this model. */
function allowedBy(model: string): string[] {
  const spelling = spellingOf(model);
  // A fine-tuned model costs more than its family, and may have learned from private data.
  if (/^ft:/i.test(spelling)) return [model, spelling];
  const family = familyOf(spelling);
  const names = [model, familyOf(model), spelling, family];
  const row = modelNamed(model)?.model;
  if (!row || row.name !== familyOf(row.name)) return names;
  return [...names, row.name, ...row.aliases.filter((alias) => !isDated(alias))];
}

/** `gpt-4-0613` and `gpt-audio-2025-08-28` are snapshots. */
const isDated = (name: string): boolean => /-\d{4}(?:-\d{2}-\d{2})?$/.test(name);

/**
 * Lets a request pass that its key may make, before anything is stored. Throws `model_not_allowed`, naming the models that
 * are allowed, or `rate_limited`. A request that is refused for its model does not count against the rate.
 */
export async function enforceKeyLimits(store: Table, key: CallerKey, model: string, nowMs: number): Promise<void> {
  if (!isModelAllowed(key.models, model)) {
    throw new AppError(
      "model_not_allowed",
      `model: This key may not use "${model}". It may use: ${key.models?.join(", ")}.`,
      { param: "model" },
    );
  }
  if (key.rpm !== null) await countRequest(store, key.keyId, key.rpm, nowMs);
}
