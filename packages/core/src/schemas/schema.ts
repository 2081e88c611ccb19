import * as z from "zod";

/** A structured output that callers ask for by its name. */
export interface OutputSchema<Output extends z.ZodObject = z.ZodObject> {
  /** OpenAI's `json_schema.name`: `[A-Za-z0-9_-]{1,64}`. */
  name: string;
  /** Grows when the meaning of the output changes; 1 to begin with. */
  version: number;
  /** What it is for, to people who read `GET /schemas`. */
  description: string;
  /** The system message when the request brings none of its own. */
  instructions: string;
  /** What it is made from. */
  input: "text" | "image";
  /** Plain zod: strict mode knows no optional fields (use nullable), records, tuples or transforms. */
  output: Output;
}

/** `response_format` as OpenAI takes it. */
export interface JsonSchemaFormat {
  type: "json_schema";
  json_schema: { name: string; strict: true; schema: Record<string, unknown> };
}

export function defineSchema<Output extends z.ZodObject>(
  schema: Omit<OutputSchema<Output>, "version"> & { version?: number },
): OutputSchema<Output> {
  return { version: 1, ...schema };
}

const formats = new WeakMap<OutputSchema, JsonSchemaFormat>();

/** The schema as OpenAI's strict mode takes it. Computed at its first use, since a cold start has no time for all of them. */
export function toResponseFormat(schema: OutputSchema): JsonSchemaFormat {
  const known = formats.get(schema);
  if (known !== undefined) return known;
  const format: JsonSchemaFormat = {
    type: "json_schema",
    json_schema: { name: schema.name, strict: true, schema: strictJsonSchema(schema.output) },
  };
  formats.set(schema, format);
  return format;
}

function strictJsonSchema(output: z.ZodObject): Record<string, unknown> {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(output, {
    override: ({ jsonSchema }) => {
      refuseSorted(jsonSchema);
      // z.int() bounds every integer by what JavaScript holds exactly, which tells a model nothing.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // zod writes a format's own pattern beside it; OpenAI knows the format.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });
  return schema;
}

/** The order of properties is the order in which the model writes them, and JavaScript has lost it by now for names like these. */
function refuseSorted({ properties }: { properties?: Record<string, unknown> }): void {
  const name = Object.keys(properties ?? {}).find((property) => /^(0|[1-9]\d*)$/.test(property));
  if (name === undefined) return;
  throw new Error(
    `JavaScript would put the property "${name}" before all others. Give it a name such as "item_${name}".`,
  );
}
