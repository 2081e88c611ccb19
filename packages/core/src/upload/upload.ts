import type { Caller } from "../completion/caller.ts";
import { maxImageBytes } from "../image/image.ts";
import { enforceKeyLimits } from "../key/enforce-limits.ts";
import { budgetOf } from "../key/limits.ts";
import { newResultId } from "../result/id.ts";
import { epochSeconds, newRevision, noLease, waitingTtlMs } from "../result/item.ts";
import { initialResult } from "../result/result.ts";
import { putResult, type ResultTable } from "../result/store.ts";
import type { SignUploadForm } from "../s3/form.ts";
import { requireSchema } from "../schemas/require.ts";
import { uploadKey } from "./key.ts";
import type { UploadRequest } from "./schema.ts";

export interface UploadDeps {
  store: ResultTable;
  signForm: SignUploadForm;
  bucket: string;
  defaultModel: string;
  now: () => Date;
}

/** How long the form can be used. */
const formTtlMs = 15 * 60 * 1000;

export const defaultSchema = "image_description";

/**
 * Announces an upload: its result exists from now on, and the form's image becomes that result. The key's models hold here, and its
 * rate counts the form with its first image. The key goes along with the result: its budget is charged for each image that comes by
 * the form, its rate counts each later one, and once it is revoked no more are worked on.
 */
export async function createUpload(deps: UploadDeps, request: UploadRequest, { owner, key: apiKey }: Caller) {
  const { content_type: contentType, metadata = {}, ...upload } = request;
  const schema = upload.schema ?? defaultSchema;
  requireSchema(schema);
  const model = upload.model ?? deps.defaultModel;
  await enforceKeyLimits(deps.store, apiKey, model, deps.now().getTime());
  const id = newResultId();
  const key = uploadKey(owner, id);
  const budget = budgetOf(apiKey);
  const now = deps.now();
  const expiresAt = new Date(now.getTime() + formTtlMs);
  const form = await deps.signForm(key, { contentType, maxBytes: maxImageBytes, announcedId: id, expiresAt, now });
  const image = { bucket: deps.bucket, key, format: null, width: null, height: null, sizeBytes: null };
  const { keyId, rpm } = apiKey;
  const settings = { ...upload, keyId, ...(rpm !== null && { rpm }), ...(budget && { budget }) };
  await putResult(
    deps.store,
    {
      result: initialResult(
        { id, kind: "vision", source: "s3", owner, model, schema, image, metadata, upload: settings },
        "awaiting_upload",
        now,
      ),
      revision: newRevision(),
      lease_id: noLease,
      lease_expires_at: 0,
      request_hash: null,
      pending_unaccounted: 0,
      ledger: [],
    },
    epochSeconds(new Date(now.getTime() + waitingTtlMs)),
  );
  return {
    id,
    object: "upload" as const,
    url: form.url,
    fields: form.fields,
    expires_at: expiresAt.toISOString(),
    max_bytes: maxImageBytes,
  };
}
