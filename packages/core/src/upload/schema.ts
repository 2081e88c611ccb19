import * as z from "zod";
import { metadata, schemaName } from "../chat/basic-parameters.ts";
import { detail } from "../image/detail.ts";
import { modelName } from "../model/name.ts";
import { boundedString } from "../validation/bounded-string.ts";

/** What `POST /uploads` accepts. */
export const uploadRequest = z
  .strictObject({
    content_type: z.enum(["image/jpeg", "image/png", "image/webp", "image/gif"], {
      error: "Give image/jpeg, image/png, image/webp or image/gif (not animated).",
    }),
    prompt: boundedString({ min: 1, max: 32_000 }).optional(),
    detail: detail.optional(),
    schema: schemaName.optional(),
    model: modelName.optional(),
    metadata: metadata.optional(),
  })
  .meta({ id: "UploadRequest" });

export type UploadRequest = z.infer<typeof uploadRequest>;
