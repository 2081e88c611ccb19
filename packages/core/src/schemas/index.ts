import { imageDescription } from "./image-description.ts";
import { imageSentiment } from "./image-sentiment.ts";
import { receipt } from "./receipt.ts";
import type { OutputSchema } from "./schema.ts";
import { sentiment } from "./sentiment.ts";

/** Every registered structured output. A new one is its own file and one line here (docs/structured-outputs.md). */
const schemas: readonly OutputSchema[] = [sentiment, imageSentiment, imageDescription, receipt];

const byName: ReadonlyMap<string, OutputSchema> = new Map(schemas.map((schema) => [schema.name, schema]));

/** In the order of the registry. */
export const schemaNames: readonly string[] = schemas.map((schema) => schema.name);

export function schemaNamed(name: string): OutputSchema | null {
  return byName.get(name) ?? null;
}

export { defineSchema, type JsonSchemaFormat, type OutputSchema, toResponseFormat } from "./schema.ts";
