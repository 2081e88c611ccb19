import { daysLeft, modelNamed } from "./model.ts";

/** How long before a model's end a deployment is warned of it. */
const warnDays = 90;

/** What a deployer should know of the model of requests that name none; null when there is nothing to say. */
export function defaultModelWarning(name: string, now: Date): string | null {
  const model = modelNamed(name)?.model;
  if (!model)
    return `DEFAULT_MODEL: "${name}" is not in the catalogue of models, so its price is only known from PRICES.`;
  const left = daysLeft(model, now);
  if (!model.ends || left === null || left > warnDays) return null;
  const { on, replacement } = model.ends;
  const when = left > 0 ? `OpenAI ends ${name} on ${on}, in ${left} days` : `OpenAI ended ${name} on ${on}`;
  return `DEFAULT_MODEL: ${when}.${replacement ? ` Its replacement is ${replacement}.` : ""}`;
}
