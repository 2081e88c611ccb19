import { chatRequest } from "@tollgate/core/chat/schema";
import { chatCompletionRequest } from "@tollgate/core/openai-compatible/schema";
import { uploadRequest } from "@tollgate/core/upload/schema";
import { visionRequest } from "@tollgate/core/vision/schema";
import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { bodySchemaOf, validatorOf } from "../../openapi/document.ts";
import { limitsOf } from "../../openapi/limits.ts";

describe.each<[string, z.ZodType]>([
  ["POST /chat", chatRequest],
  ["POST /vision", visionRequest],
  ["POST /uploads", uploadRequest],
  ["POST /v1/chat/completions", chatCompletionRequest],
])("the body of %s", (route, schema) => {
  const fits = validatorOf(bodySchemaOf(route));
  const limits = limitsOf(bodySchemaOf(route));

  test.each(limits.filter(({ past }) => !past))("is accepted with $name", ({ value }) => {
    expect(fits(value), JSON.stringify(fits.errors)).toBe(true);
    expect(schema.safeParse(value).error).toBeUndefined();
  });

  test.each(limits.filter(({ past }) => past))("is refused with $name", ({ value }) => {
    expect(fits(value)).toBe(false);
    expect(schema.safeParse(value).success).toBe(false);
  });
});
