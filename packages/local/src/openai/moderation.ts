import { closedObjectAt, type Fields, optional, required, stringAt } from "./parameter.ts";

/** The `moderation` parameter of a request: which model judges its input and its answer. */
export interface Moderation {
  model: string;
}

/** https://developers.openai.com/api/docs/guides/moderation, November 2026. */
const CATEGORIES = [
  ...["harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm"],
  ...["self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic"],
];

/** @throws OpenAIError 400 */
export function moderationAt(value: unknown): Moderation {
  const fields: Fields = closedObjectAt(value, "moderation", ["model", "policy"]);
  const model = stringAt(required(fields, "model", "moderation.model"), "moderation.model", { min: 1 });
  optional(fields.policy, (policy) => closedObjectAt(policy, "moderation.policy", ["input", "output"]));
  return { model };
}

/** `moderation` of an answer. Nothing is flagged here: no text is judged. One result for the input, one for each choice. */
export function moderationOf({ model }: Moderation, choices: number): object {
  const result = {
    type: "moderation_result",
    model,
    flagged: false,
    categories: Object.fromEntries(CATEGORIES.map((category) => [category, false])),
    category_scores: Object.fromEntries(CATEGORIES.map((category) => [category, 0])),
    category_applied_input_types: Object.fromEntries(CATEGORIES.map((category) => [category, ["text"]])),
  };
  const results = (count: number) => ({ type: "moderation_results", model, results: Array(count).fill(result) });
  return { input: results(1), output: results(choices) };
}
