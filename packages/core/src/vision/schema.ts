import * as z from "zod";
import { jsonModeNeedsWordInPrompt } from "../chat/json-mode.ts";
import { imageAddress } from "../chat/message.ts";
import { parameterRules, parameters, streamParameters } from "../chat/parameters.ts";
import { detail } from "../image/detail.ts";
import { resultIdPattern } from "../result/id.ts";
import { withRules } from "../validation/cross-field-rule.ts";

const imageInput = z
  .union([
    z.strictObject({ url: imageAddress }),
    z.strictObject({
      data: z.string().min(1, "Give the image as base64.").meta({
        description:
          "The image in base64 (or as a `data:` URL), up to about 4 MB. What is no base64 is 400 `invalid_image`.",
        contentEncoding: "base64",
      }),
    }),
    z.strictObject({
      upload: z.string().regex(resultIdPattern, "Give the id that POST /uploads answered with.").meta({
        description: "The `id` that `POST /uploads` answered with. One that has no image is 404 `not_found`.",
      }),
    }),
  ])
  .meta({ id: "ImageInput", description: "One image: PNG, JPEG, WebP or GIF that is not animated, by its bytes." });

/** What `POST /vision` accepts. */
export const visionRequest = withRules(
  z.strictObject({
    images: z.array(imageInput).min(1, "Give at least one image.").max(20, "At most 20 images."),
    prompt: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "What to say about the images. Left out: describe them." }),
    detail: detail.optional(),
    ...parameters,
    ...streamParameters,
  }),
  [...parameterRules, jsonModeNeedsWordInPrompt],
).meta({ id: "VisionRequest" });

export type VisionRequest = z.infer<typeof visionRequest>;
export type ImageInput = z.infer<typeof imageInput>;
