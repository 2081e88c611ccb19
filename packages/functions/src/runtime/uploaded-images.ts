import type { ImageStore } from "@tollgate/core/s3/image-store";

/** S3's client is loaded with the first image that was uploaded: most images come with their request, or as a URL. */
export const uploadedImages: ImageStore = {
  get: async (...asked) => (await import("./s3.ts")).images.get(...asked),
  remove: async (...asked) => (await import("./s3.ts")).images.remove(...asked),
};
