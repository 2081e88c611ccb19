import { createHash } from "node:crypto";
import * as z from "zod";
import { joinBlobs, type ReceivedBody, receiveBody } from "./body.ts";
import {
  authorize,
  authorizeKey,
  commitObject,
  encryptionHeaders,
  missingKey,
  type Operation,
  objectArn,
  type SignedCall,
  sendEmpty,
  sendXml,
} from "./call.ts";
import { algorithmNamed, type Checksum, digestBody } from "./checksum.ts";
import { checkWriteConditions } from "./conditions.ts";
import { S3Error, s3Errors } from "./error.ts";
import { bucketArn } from "./events.ts";
import { storedHeaders } from "./headers.ts";
import { checkCopyConditions, checksumHeaders, copySourceOf, parseBody, readCheckedBody } from "./objects.ts";
import { parseRange } from "./range.ts";
import { checkReadable, storageClassHeader } from "./storage-class.ts";
import type { MultipartUpload, Part } from "./store.ts";
import { s3Namespace } from "./xml.ts";

/** Of every part but the last. Source: S3 user guide, "Multipart upload limits", November 2026. */
const minPartBytes = 5 * 1024 ** 2;
const maxPartNumber = 10_000;

export const createMultipartUpload: Operation = (call) => {
  const { deps, response, bucket, key, headers, identity } = call;
  authorize(deps, identity.principal, "s3:PutObject", objectArn(bucket, key));
  authorizeKey(deps, identity.principal, bucket, "kms:GenerateDataKey");
  const algorithm = algorithmNamed(headerText(headers["x-amz-checksum-algorithm"]));
  const upload: MultipartUpload = {
    id: crypto.randomUUID(),
    bucket,
    key,
    headers: storedHeaders(headers),
    algorithm,
    fullObject: algorithm === "crc64nvme" || headers["x-amz-checksum-type"] === "FULL_OBJECT",
    initiatedMs: deps.now(),
  };
  deps.store.putUpload(upload);
  const content = { Bucket: bucket, Key: key, UploadId: upload.id };
  sendXml(response, "InitiateMultipartUploadResult", content, s3Namespace, encryptionHeaders(call));
};

export const uploadPart: Operation = async (call) => {
  const { deps, request, response, bucket, key, query, identity } = call;
  authorize(deps, identity.principal, "s3:PutObject", objectArn(bucket, key));
  // S3 reads the parts again before it joins them.
  authorizeKey(deps, identity.principal, bucket, "kms:GenerateDataKey", "kms:Decrypt");
  const upload = findUpload(call);
  const number = Number(query.partNumber);
  if (!Number.isInteger(number) || number < 1 || number > maxPartNumber) {
    const message = `Part number must be an integer between 1 and ${maxPartNumber}, inclusive`;
    throw s3Errors.invalidArgument(message, "partNumber", query.partNumber);
  }
  const copied = call.headers["x-amz-copy-source"] !== undefined;
  const body = copied ? await copyPart(call, upload) : await receiveBody(request, identity, deps.blobs);
  const { blob, sizeBytes, digests } = body;
  const modifiedMs = deps.now();
  const part: Part = { number, blob, sizeBytes, md5: digests.md5, checksum: digests.checksum, modifiedMs };
  const replaced = deps.store.parts(upload.id).filter((earlier) => earlier.number === number);
  try {
    deps.store.putPart(upload.id, part);
  } catch (error) {
    // The upload was completed or aborted while this part was on its way.
    await deps.blobs.remove([blob]);
    throw deps.store.upload(upload.id) ? error : s3Errors.noSuchUpload(upload.id);
  }
  await deps.blobs.remove(replaced.map((earlier) => earlier.blob));
  const ETag = `"${part.md5}"`;
  if (copied) sendXml(response, "CopyPartResult", { LastModified: new Date(modifiedMs).toISOString(), ETag });
  else sendEmpty(response, 200, { etag: ETag, ...checksumHeaders(part), ...encryptionHeaders(call) });
};

const completedPart = z.object({ PartNumber: z.string(), ETag: z.string() });
const completion = z.object({
  CompleteMultipartUpload: z.object({
    Part: z.union([z.array(completedPart), completedPart]).transform((one) => [one].flat()),
  }),
});

export const completeMultipartUpload: Operation = async (call) => {
  const { deps, request, response, bucket, key, identity } = call;
  authorize(deps, identity.principal, "s3:PutObject", objectArn(bucket, key));
  // S3 reads the parts again before it joins them.
  authorizeKey(deps, identity.principal, bucket, "kms:GenerateDataKey", "kms:Decrypt");
  const upload = findUpload(call);
  const { CompleteMultipartUpload } = parseBody(completion, await readCheckedBody(request));
  const parts = chosenParts(CompleteMultipartUpload.Part, deps.store.parts(upload.id));
  checkTotalSize(headerText(call.headers["x-amz-mp-object-size"]), parts);
  const { blob, sizeBytes, digests } = await joinBlobs(deps.blobs, parts, upload.fullObject ? upload.algorithm : null);
  const checksum = upload.fullObject ? digests.checksum : await compositeChecksum(parts);
  const md5s = Buffer.concat(parts.map((part) => Buffer.from(part.md5, "hex")));
  const etag = `${createHash("md5").update(md5s).digest("hex")}-${parts.length}`;
  const object = { bucket, key, blob, sizeBytes, etag, modifiedMs: deps.now(), headers: upload.headers, checksum };
  await commitObject(call, identity.principal, object, "CompleteMultipartUpload", {
    uploadId: upload.id,
    check(existing) {
      if (!deps.store.upload(upload.id)) throw s3Errors.noSuchUpload(upload.id);
      checkWriteConditions(request.headers, key, existing);
    },
  });
  const content = {
    Location: `http://${request.headers.host}/${encodeURI(`${bucket}/${key}`)}`,
    Bucket: bucket,
    Key: key,
    ETag: `"${etag}"`,
  };
  sendXml(response, "CompleteMultipartUploadResult", content, s3Namespace, encryptionHeaders(call));
};

export const abortMultipartUpload: Operation = async (call) => {
  const { deps, response, bucket, key, identity } = call;
  authorize(deps, identity.principal, "s3:AbortMultipartUpload", objectArn(bucket, key));
  await deps.blobs.remove(deps.store.deleteUpload(findUpload(call).id));
  sendEmpty(response, 204);
};

export const listParts: Operation = (call) => {
  const { deps, response, bucket, key, query, identity } = call;
  authorize(deps, identity.principal, "s3:ListMultipartUploadParts", objectArn(bucket, key));
  const upload = findUpload(call);
  const limit = Math.min(Number(query["max-parts"] ?? 1000), 1000);
  const marker = Number(query["part-number-marker"] ?? 0);
  const left = deps.store.parts(upload.id).filter((part) => part.number > marker);
  const page = left.slice(0, limit);
  sendXml(response, "ListPartsResult", {
    Bucket: bucket,
    Key: key,
    UploadId: upload.id,
    StorageClass: upload.headers[storageClassHeader] ?? "STANDARD",
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.number ?? 0,
    MaxParts: limit,
    IsTruncated: left.length > page.length,
    Part: page.map((part) => ({
      PartNumber: part.number,
      LastModified: new Date(part.modifiedMs).toISOString(),
      ETag: `"${part.md5}"`,
      Size: part.sizeBytes,
    })),
  });
};

export const listMultipartUploads: Operation = ({ deps, response, bucket, query, identity }) => {
  authorize(deps, identity.principal, "s3:ListBucketMultipartUploads", bucketArn(bucket));
  const uploads = deps.store.uploads(bucket).filter((upload) => upload.key.startsWith(query.prefix ?? ""));
  sendXml(response, "ListMultipartUploadsResult", {
    Bucket: bucket,
    MaxUploads: 1000,
    IsTruncated: false,
    Upload: uploads.map((upload) => ({
      Key: upload.key,
      UploadId: upload.id,
      StorageClass: upload.headers[storageClassHeader] ?? "STANDARD",
      Initiated: new Date(upload.initiatedMs).toISOString(),
    })),
  });
};

function findUpload({ deps, bucket, key, query }: SignedCall): MultipartUpload {
  const id = query.uploadId ?? "";
  const upload = deps.store.upload(id);
  if (!upload || upload.bucket !== bucket || upload.key !== key) throw s3Errors.noSuchUpload(id);
  return upload;
}

/** A part that is a range of an object: how clients copy large objects. */
async function copyPart({ deps, headers, identity }: SignedCall, upload: MultipartUpload): Promise<ReceivedBody> {
  const { principal } = identity;
  const source = copySourceOf(headers["x-amz-copy-source"]);
  authorize(deps, principal, "s3:GetObject", objectArn(source.bucket, source.key));
  const original = deps.store.object(source.bucket, source.key);
  if (!original) throw missingKey(deps, principal, source.bucket, source.key);
  authorizeKey(deps, principal, source.bucket, "kms:Decrypt");
  checkReadable(original, "copy");
  checkCopyConditions(headers, original);
  const range = parseRange(headerText(headers["x-amz-copy-source-range"]), original.sizeBytes);
  return joinBlobs(deps.blobs, [{ blob: original.blob, range }], upload.algorithm);
}

/** The parts that the client lists, ascending, each with the ETag that it was given. Throws S3Error. */
function chosenParts(listed: { PartNumber: string; ETag: string }[], uploaded: Part[]): Part[] {
  const byNumber = new Map(uploaded.map((part) => [part.number, part]));
  let previous = 0;
  const parts = listed.map(({ PartNumber, ETag }) => {
    const part = byNumber.get(Number(PartNumber));
    if (!part || part.md5 !== ETag.replace(/^"|"$/g, "")) {
      throw new S3Error(
        400,
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified " +
          "entity tag may not match the part's entity tag.",
        { PartNumber },
      );
    }
    if (part.number <= previous) {
      throw new S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
    }
    previous = part.number;
    return part;
  });
  const small = parts.slice(0, -1).find((part) => part.sizeBytes < minPartBytes);
  if (small) throw s3Errors.tooSmall(small.sizeBytes, minPartBytes);
  return parts;
}

/** Throws S3Error when the client counts other bytes than came. */
function checkTotalSize(declared: string | undefined, parts: Part[]): void {
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (declared !== undefined && Number(declared) !== sizeBytes) {
    throw s3Errors.invalidRequest(`The provided 'x-amz-mp-object-size' header does not match what was computed.`);
  }
}

/** S3's checksum of checksums: that of the parts' values one after another, and how many there were. */
async function compositeChecksum(parts: Part[]): Promise<Checksum | null> {
  const algorithm = parts[0]?.checksum?.algorithm;
  if (!algorithm || parts.some((part) => part.checksum?.algorithm !== algorithm)) return null;
  const digest = digestBody({ md5: null, sha256Hex: null, algorithm, checksum: null });
  for (const part of parts) digest.update(Buffer.from(part.checksum?.value ?? "", "base64"));
  const { checksum } = await digest.finish();
  return checksum && { algorithm, value: `${checksum.value}-${parts.length}` };
}

function headerText(header: string | string[] | undefined): string | undefined {
  return [header].flat()[0];
}
