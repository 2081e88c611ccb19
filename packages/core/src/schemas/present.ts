import { type OutputSchema, toResponseFormat } from "./index.ts";

/** A registered schema as `GET /schemas` shows it. */
export const presentSchema = (schema: OutputSchema) => ({
  object: "schema" as const,
  name: schema.name,
  version: schema.version,
  description: schema.description,
  input: schema.input,
  instructions: schema.instructions,
  schema: toResponseFormat(schema).json_schema.schema,
});
