import * as z from "zod";

/** `detail` of OpenAI's `image_url`. Beside no other schema: a function that reads results would make them all. */
export const detail = z.enum(["low", "high", "auto", "original"]).meta({
  description: "How closely the model looks at an image: more tokens for `high`. `original` is for gpt-5.4 and later.",
});

/** `auto` is OpenAI's choice, and counts as `high` here, the dearer one. */
export type Detail = z.infer<typeof detail>;
