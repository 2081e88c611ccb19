import * as z from "zod";
import { detail, metadata } from "../chat/parameters.ts";

/** What `POST /uploads` accepts. */
export const uploadRequest = z.strictObject({
  content_type: z.enum(["image/jpeg", "image/png", "image/webp", "image/gif"], {
    error: "Give image/jpeg, image/png, image/webp or image/gif (not animated).",
  }),
  prompt: z.string().min(1).max(32_000).optional(),
  detail: detail.optional(),
  schema: z.string().optional(),
  model: z.string().min(1).max(256).optional(),
  metadata: metadata.optional(),
});

export type UploadRequest = z.infer<typeof uploadRequest>;
