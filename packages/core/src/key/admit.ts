import { AppError } from "../error.ts";
import { familyOf } from "../model/model.ts";
import type { CallerKey } from "./limits.ts";
import { countRequest } from "./rate.ts";
import type { KeyStore } from "./store.ts";

/** `gpt-4o-mini` allows `gpt-4o-mini-2024-07-18` too; a snapshot allows itself alone. null allows every model. */
export const isModelAllowed = (models: readonly string[] | null, model: string): boolean =>
  models === null || models.includes(model) || models.includes(familyOf(model));

/**
 * Lets a request pass that its key may make, before anything is stored. Throws `model_not_allowed`, naming the models that
 * are allowed, or `rate_limited`. A request that is refused for its model does not count against the rate.
 */
export async function admit(store: KeyStore, key: CallerKey, model: string, nowMs: number): Promise<void> {
  if (!isModelAllowed(key.models, model)) {
    throw new AppError(
      "model_not_allowed",
      `model: This key may not use "${model}". It may use: ${key.models?.join(", ")}.`,
      { param: "model" },
    );
  }
  if (key.rpm !== null) await countRequest(store, key.keyId, key.rpm, nowMs);
}
