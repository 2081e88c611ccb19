import * as z from "zod";
import { detail, parameters } from "../chat/parameters.ts";
import { isResultId } from "../result/id.ts";

const imageInput = z.union([
  z.strictObject({ url: z.string().regex(/^(https?:\/\/|data:)/, "Give an http(s) URL or a data: URL with base64.") }),
  z.strictObject({ data: z.string().min(1, "Give the image as base64.") }),
  z.strictObject({ upload: z.string().refine(isResultId, "Give the id that POST /uploads answered with.") }),
]);

/** What `POST /vision` accepts. */
export const visionRequest = z.strictObject({
  images: z.array(imageInput).min(1, "Give at least one image.").max(20, "At most 20 images."),
  prompt: z.string().min(1).optional(),
  detail: detail.optional(),
  ...parameters,
  stream: z.boolean().nullish(),
});

export type VisionRequest = z.infer<typeof visionRequest>;
export type ImageInput = z.infer<typeof imageInput>;
