import { AppError } from "../error.ts";
import { type OutputSchema, schemaNamed, schemaNames } from "./index.ts";

/** The registered schema of this name. Throws `code`, naming those that there are. */
export function requireSchema(name: string, code: "invalid_request" | "not_found" = "invalid_request"): OutputSchema {
  const schema = schemaNamed(name);
  if (schema) return schema;
  const param = "schema";
  throw new AppError(code, `${param}: No schema is called "${name}". There are: ${schemaNames.join(", ")}.`, { param });
}
