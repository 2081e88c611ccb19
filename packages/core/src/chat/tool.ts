import * as z from "zod";

export const functionName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "Use 1 to 64 letters, digits, _ or -.");

export const jsonSchema = z.record(z.string(), z.unknown()).meta({ description: "A JSON Schema." });

export const functionDefinition = z.strictObject({
  name: functionName,
  description: z.string().nullish(),
  parameters: jsonSchema.nullish(),
  strict: z.boolean().nullish().meta({
    description:
      "With `true`, OpenAI keeps to `parameters` exactly; a schema that it could not keep to is 400 `invalid_schema`.",
  }),
});

const grammar = z.strictObject({ definition: z.string(), syntax: z.enum(["lark", "regex"]) });

export const tool = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("function"), function: functionDefinition }),
    z.strictObject({
      type: z.literal("custom"),
      custom: z.strictObject({
        name: z.string(),
        description: z.string().optional(),
        format: z
          .discriminatedUnion("type", [
            z.strictObject({ type: z.literal("text") }),
            z.strictObject({ type: z.literal("grammar"), grammar }),
          ])
          .optional(),
      }),
    }),
  ])
  .meta({ id: "Tool", description: "Something that the model may ask the caller to do." });

const named = z.strictObject({ name: z.string() });

export const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.strictObject({ type: z.literal("function"), function: named }),
  z.strictObject({ type: z.literal("custom"), custom: named }),
  z.strictObject({
    type: z.literal("allowed_tools"),
    allowed_tools: z.strictObject({
      mode: z.enum(["auto", "required"]),
      tools: z.array(z.record(z.string(), z.unknown())),
    }),
  }),
]);

/** The deprecated form of `tool_choice`. */
export const functionCallChoice = z.union([z.enum(["none", "auto"]), named]);
