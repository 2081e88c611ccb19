import type { ChatDeps } from "../chat/chat.ts";
import { streamOptionsOf, toChatCall } from "../chat/params.ts";
import type { ChatCall } from "../completion/call.ts";
import { type Caller, httpJob } from "../completion/caller.ts";
import type { Job } from "../completion/job.ts";
import { AppError } from "../error.ts";
import { decodeBase64, decodeDataUrl, inspectImage, isDataUrl } from "../image/content.ts";
import type { Detail } from "../image/detail.ts";
import type { InlineImage } from "../image/inline-image.ts";
import { type Shrink, shrinkImages } from "../image/shrink.ts";
import { isExpired } from "../result/item.ts";
import type { ResultImage, StoredResult } from "../result/result.ts";
import { readItem } from "../result/store.ts";
import type { ImageStore } from "../s3/image-store.ts";
import type { ImageInput, VisionRequest } from "./schema.ts";

export interface VisionDeps extends ChatDeps {
  images: Pick<ImageStore, "get">;
  /** Left out: images are sent as they came. */
  shrink?: Shrink | undefined;
}

export const defaultPrompt = "Describe what this shows.";

/** The work of one `POST /vision`. Everything that can be refused is refused here, before anything is stored or asked of OpenAI. */
export async function visionJob(deps: VisionDeps, request: VisionRequest, caller: Caller): Promise<Job> {
  const call = await visionCall(deps, request, caller.owner, caller.body);
  // Not before the claim: a request that is replayed or deferred sends nothing.
  return { ...httpJob("vision", request, caller, call), prepare: () => shrinkImages(deps.shrink, call) };
}

/** OpenAI's request about images, which are looked at first; its caller wrote it as `body`. Throws for what OpenAI would refuse. */
export async function visionCall(
  deps: VisionDeps,
  request: VisionRequest,
  owner: string,
  body?: string | null,
): Promise<ChatCall & { image: ResultImage | null }> {
  const { images, prompt, detail, stream: _, stream_options, ...parameters } = request;
  const loaded = await Promise.all(images.map((input, index) => load(deps, input, owner, `images[${index}]`)));
  const urls = loaded.map(({ url }) => url);
  const call = toChatCall([visionMessage(urls, prompt, detail)], parameters, deps.defaultModel, body);
  // A result speaks of its image; of several it would speak of the wrong one.
  const streamOptions = streamOptionsOf(stream_options);
  return { ...call, streamOptions, image: loaded.length === 1 ? (loaded[0]?.image ?? null) : null };
}

/** OpenAI fetches the image at a URL; others are inside the request. */
export type ImageUrl = string | InlineImage;

/** The user's message that shows images and asks about them. */
export function visionMessage(urls: ImageUrl[], prompt = defaultPrompt, detail: Detail = "auto") {
  return {
    role: "user",
    content: [
      { type: "text" as const, text: prompt },
      ...urls.map((url) => ({ type: "image_url" as const, image_url: { url, detail } })),
    ],
  };
}

interface Loaded {
  url: ImageUrl;
  image: ResultImage | null;
}

async function load(deps: VisionDeps, input: ImageInput, owner: string, field: string): Promise<Loaded> {
  if ("data" in input) {
    const param = `${field}.data`;
    return inspectImage(
      isDataUrl(input.data) ? decodeDataUrl(input.data, param) : decodeBase64(input.data, param),
      param,
    );
  }
  if ("upload" in input) return loadUpload(deps, input.upload, owner, `${field}.upload`);
  if (!isDataUrl(input.url)) return { url: input.url, image: null };
  return inspectImage(decodeDataUrl(input.url, `${field}.url`), `${field}.url`);
}

async function loadUpload(deps: VisionDeps, id: string, owner: string, param: string): Promise<Loaded> {
  const item = await readItem(deps.store, id);
  const result = item && !isExpired(item, deps.now()) ? item.result : null;
  const { bucket, key } = ownImage(result, owner);
  const object = bucket && key && result?.status !== "awaiting_upload" ? await deps.images.get(key) : null;
  if (!object || !bucket || !key) {
    throw new AppError("not_found", `${param}: No uploaded image has this id. Upload it first (POST /uploads).`, {
      param,
    });
  }
  return inspectImage(object.bytes, param, { bucket, key });
}

/** The same answer for a result that is not there and for one of another owner. */
const ownImage = (result: StoredResult | null, owner: string) =>
  (result?.owner === owner && result.image) || { bucket: null, key: null };
