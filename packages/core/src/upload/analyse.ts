import * as z from "zod";
import { toChatCall } from "../chat/params.ts";
import type { Job, Performed, Prepared, Replayed } from "../completion/job.ts";
import { perform } from "../completion/run.ts";
import { AppError } from "../error.ts";
import { inspectImage } from "../image/content.ts";
import { detail as detailSchema } from "../image/detail.ts";
import { maxImageBytes } from "../image/image.ts";
import { shrinkImages } from "../image/shrink.ts";
import { weightedSemaphore } from "../image/weighted-semaphore.ts";
import { countRequest } from "../key/rate.ts";
import { requireUnrevoked } from "../key/store.ts";
import { modelName } from "../model/name.ts";
import type { Lease } from "../result/claim.ts";
import { claimContent, contentOf, noteEtag } from "../result/content.ts";
import { derivedResultId } from "../result/id.ts";
import { type UploadSettings, uploadSettings } from "../result/result.ts";
import { readItem } from "../result/store.ts";
import { imageTooLarge } from "../s3/image-store.ts";
import { parseRequest } from "../validation/request.ts";
import { type ImageUrl, type VisionDeps, visionMessage } from "../vision/vision.ts";
import { parseUploadKey } from "./key.ts";
import { decodeMetadata } from "./metadata.ts";
import { defaultSchema } from "./upload.ts";

/** An object that S3 says was created. */
export interface CreatedObject {
  bucket: string;
  /** As the uploader wrote it: decoded. */
  key: string;
  sizeBytes: number;
  etag: string | undefined;
  /** Differs for each time that the key was written; the same in every copy of one event. */
  sequencer: string;
}

export interface AnalyseOptions {
  deadlineMs: number;
  /** The queue brings the work no more: a passing failure is final. */
  lastChance: boolean;
}

/**
 * Of a batch, as many images are read (and shrunk, where the stage shrinks) at once as make up the largest: what their reading
 * leaves to the garbage collector would add up, beside the images themselves. Then all are asked about at once.
 */
const reading = weightedSemaphore(maxImageBytes);

const modelHeader = z.object({ "x-amz-meta-model": modelName.optional() });

/**
 * Analyses an uploaded image, once for each content that its key was written with, however often the event arrives and the same is
 * written again. Returns null for a key without an owner, which nobody could ask about. What was asked for when a key was announced,
 * and the limits of who did, hold for every object under it: its form may be posted again.
 */
export async function analyseUpload(
  deps: VisionDeps,
  object: CreatedObject,
  options: AnalyseOptions,
): Promise<Performed | null> {
  const parsed = parseUploadKey(object.key);
  if (!parsed) return null;
  const { owner } = parsed;
  const announced = parsed.announcedId && (await readAnnounced(deps, parsed.announcedId, owner, object));
  const upload = announced ? announced.upload : undefined;
  const derivedId = derivedResultId("s3", object.bucket, object.key, object.sequencer);
  const job = (id: string): Job => ({
    id,
    kind: "vision",
    source: "s3",
    owner,
    key: null,
    model: upload?.model ?? deps.defaultModel,
    schema: upload?.schema ?? null,
    metadata: announced ? announced.metadata : {},
    upload,
    image: {
      bucket: object.bucket,
      key: object.key,
      format: null,
      width: null,
      height: null,
      sizeBytes: object.sizeBytes,
      etag: object.etag,
    },
    requestHash: object.sequencer,
    prepare: (lease) => reading(object.sizeBytes, () => prepare(deps, object, lease)),
    deadlineMs: options.deadlineMs,
    onFailure: options.lastChance ? "fail" : "give_back",
  });
  if (!announced) return perform(deps, job(derivedId));
  try {
    return await perform(deps, job(announced.id));
  } catch (error) {
    // The announced result belongs to an earlier object under this key: this one has a result of its own.
    if (error instanceof AppError && error.code === "idempotency_mismatch") return perform(deps, job(derivedId));
    throw error;
  }
}

/**
 * The result that a key was announced for. Null for an id that is free, or another result's: such a key is like any other, so that
 * nobody makes a result under an id that a request of somebody else would derive.
 */
async function readAnnounced({ store }: VisionDeps, id: string, owner: string, { key }: CreatedObject) {
  const result = (await readItem(store, id))?.result;
  return result?.owner === owner && result.image?.key === key ? result : null;
}

async function prepare(deps: VisionDeps, object: CreatedObject, lease: Lease): Promise<Prepared | Replayed> {
  const { id, upload } = lease.result;
  if (upload?.keyId) await requireUnrevoked(deps.store, upload.keyId);
  if (object.sizeBytes > maxImageBytes) throw imageTooLarge(object.sizeBytes);
  const stored = await deps.images.get(object.key, { etag: object.etag });
  if (!stored) throw new AppError("not_found", "The object was deleted or replaced before it was analysed.");
  const { prompt, detail, model, schema = defaultSchema, budget } = upload ?? settingsOf(stored.metadata, object.key);
  const callAbout = (url: ImageUrl) =>
    toChatCall([visionMessage([url], prompt, detail)], { model, schema }, deps.defaultModel);
  const { url, image: found } = inspectImage(stored.bytes, undefined, object);
  const content = contentOf(object, stored.bytes, (url) => callAbout(url).params);
  const earlier = await claimContent(deps.store, content, id, deps.now());
  const isAnnounced = id === parseUploadKey(object.key)?.announcedId;
  // Nobody was told this result's id, and nothing of it is on the counters: it can be forgotten.
  const leavesNoTrace = !isAnnounced && lease.pendingUnaccounted === 0 && lease.ledger.length === 0;
  if (earlier && leavesNoTrace) {
    await noteEtag(deps.store, earlier, object.etag);
    return { replayed: earlier };
  }
  // The announced one was counted with its form.
  if (upload?.keyId && upload.rpm && !isAnnounced)
    await countRequest(deps.store, upload.keyId, upload.rpm, deps.now().getTime());
  const call = await shrinkImages(deps.shrink, callAbout(url));
  const image = { ...found, etag: object.etag, content };
  return { params: call.params, format: call.format, model: call.model, schema: call.schema, image, budget };
}

/**
 * What a plain S3 client can ask for, in `x-amz-meta-{schema,prompt,detail,model}`. Throws `not_found` for an object that came by
 * a form whose result is gone, and with it the budget to charge.
 */
function settingsOf(metadata: Record<string, string>, key: string): UploadSettings {
  const { prompt, detail, schema, model, announced } = decodeMetadata(metadata);
  if (announced && announced === parseUploadKey(key)?.announcedId) {
    throw new AppError("not_found", "The announced result was deleted before its image came.");
  }
  const settings = uploadSettings.safeParse({ prompt, detail, schema, model });
  parseRequest(modelHeader, { "x-amz-meta-model": model });
  if (settings.success) return settings.data;
  throw new AppError("invalid_request", `x-amz-meta-detail: Use ${detailSchema.options.join(", ")}.`, {
    param: "x-amz-meta-detail",
  });
}
