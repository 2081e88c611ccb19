import { AppError } from "../error.ts";
import { tooLarge } from "../image/image.ts";

/** Where uploaded images lie. */
export interface ImageStore {
  /**
   * null when no object has this key, or when `etag` is given and the object has been replaced since. Throws `image_too_large`
   * for what OpenAI would not take, unread.
   */
  get(key: string, options?: { etag?: string | undefined }): Promise<StoredImage | null>;
  /** With `etag`, only while the object is still that one. One that is not there is none the worse for it. */
  remove(key: string, options?: { etag?: string | undefined }): Promise<void>;
}

export interface StoredImage {
  bytes: Uint8Array;
  /** The `x-amz-meta-…` headers of the object, without that prefix. */
  metadata: Record<string, string>;
}

export const imageTooLarge = (sizeBytes: number): AppError => new AppError("image_too_large", tooLarge(sizeBytes));
