import { badRequest } from "./error.ts";
import { type Message, textOf } from "./message.ts";
import type { Model } from "./models.ts";
import {
  booleanAt,
  closedObjectAt,
  type Fields,
  objectAt,
  oneOfAt,
  optional,
  required,
  stringAt,
} from "./parameter.ts";
import { strictViolation } from "./schema.ts";

export type ResponseFormat =
  | { type: "text" }
  | { type: "json_object" }
  | { type: "json_schema"; name: string; schema: Fields };

export function responseFormatAt(value: unknown, messages: Message[], model: Model): ResponseFormat {
  const path = "response_format";
  const fields = closedObjectAt(value, path, ["type", "json_schema"]);
  const types = ["text", "json_object", "json_schema"] as const;
  const type = oneOfAt(required(fields, "type", `${path}.type`), `${path}.type`, types);
  if (type === "text") return { type };
  if (type === "json_object") {
    if (!messages.some((message) => /json/i.test(textOf(message))))
      throw badRequest(
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        "messages",
      );
    return { type };
  }
  if (!model.takesJsonSchema)
    throw badRequest(
      "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model. Learn more about supported models at the Structured Outputs guide: https://platform.openai.com/docs/guides/structured-outputs",
    );
  return jsonSchemaAt(required(fields, "json_schema", `${path}.json_schema`), `${path}.json_schema`);
}

function jsonSchemaAt(value: unknown, path: string): ResponseFormat {
  const fields = closedObjectAt(value, path, ["name", "description", "schema", "strict"]);
  const name = stringAt(required(fields, "name", `${path}.name`), `${path}.name`, {
    min: 1,
    max: 64,
    pattern: /^[a-zA-Z0-9_-]+$/,
  });
  optional(fields.description, (text) => stringAt(text, `${path}.description`));
  const strict = optional(fields.strict, (flag) => booleanAt(flag, `${path}.strict`)) ?? false;
  const schema = objectAt(required(fields, "schema", `${path}.schema`), `${path}.schema`);
  const violation = strict ? strictViolation(schema) : null;
  if (violation) throw badRequest(`Invalid schema for response_format '${name}': ${violation}`, "response_format");
  return { type: "json_schema", name, schema };
}
