import { bucketReadings, createBucket, headBucket, readBucket } from "./bucket.ts";
import type { Operation, SignedCall } from "./call.ts";
import { s3Errors } from "./error.ts";
import { listBuckets, listObjects, listObjectsV2 } from "./list.ts";
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
} from "./multipart.ts";
import {
  copyObject,
  deleteObject,
  deleteObjects,
  getObject,
  getObjectAcl,
  getObjectTagging,
  putObject,
} from "./objects.ts";

/**
 * Parameters that turn a request into an operation which is not here; ignoring one would do something else than asked. Some can be
 * read of a bucket or an object all the same. Source: the operations of the S3 API reference, November 2026.
 */
const otherOperations = new Set(
  (
    "abac accelerate acl analytics annotation annotations append attributes cors encryption intelligent-tiering inventory " +
    "legal-hold lifecycle location logging metadataAnnotationTable metadataConfiguration metadataInventoryTable metadataJournalTable " +
    "metadataTable metrics notification object-lock objectIntelligentTiering ownershipControls policy policyStatus " +
    "publicAccessBlock renameObject replication requestPayment restore retention select select-type session tagging torrent " +
    "versioning versions website"
  ).split(" "),
);

/** The operation that a method and its query ask for. Throws S3Error. */
export function operationOf({ request, bucket, key, query }: Omit<SignedCall, "identity">): Operation {
  const { method = "GET" } = request;
  const has = (name: string) => Object.hasOwn(query, name);
  // Without versions, every object is the one whose version is called null.
  if (has("versionId") && query.versionId !== "null") throw s3Errors.notImplemented("?versionId");
  const other = Object.keys(query).find((name) => otherOperations.has(name));
  if (other !== undefined) {
    const reading = Object.hasOwn(bucketReadings, other) ? bucketReadings[other] : undefined;
    if (method === "GET" && bucket !== "" && key === "" && reading) return readBucket(reading);
    if (method === "GET" && key !== "" && other === "acl") return getObjectAcl;
    if (method === "GET" && key !== "" && other === "tagging") return getObjectTagging;
    throw s3Errors.notImplemented(`?${other}`);
  }
  if (bucket === "") {
    if (method === "GET") return listBuckets;
  } else if (key === "") {
    if (method === "HEAD") return headBucket;
    if (method === "GET" && has("uploads")) return listMultipartUploads;
    if (method === "GET") return query["list-type"] === "2" ? listObjectsV2 : listObjects;
    if (method === "POST" && has("delete")) return deleteObjects;
    if (method === "PUT") return createBucket;
    if (method === "DELETE") throw s3Errors.notImplemented("the end of a bucket; it is declared in infra/");
  } else {
    if ((method === "GET" || method === "HEAD") && !has("uploadId") && has("partNumber")) {
      throw s3Errors.notImplemented("?partNumber");
    }
    if (method === "GET" || method === "HEAD") return has("uploadId") ? listParts : getObject;
    if (method === "DELETE") return has("uploadId") ? abortMultipartUpload : deleteObject;
    if (method === "POST" && has("uploads")) return createMultipartUpload;
    if (method === "POST" && has("uploadId")) return completeMultipartUpload;
    if (method === "PUT" && has("uploadId")) return uploadPart;
    if (method === "PUT") return request.headers["x-amz-copy-source"] === undefined ? putObject : copyObject;
  }
  throw s3Errors.methodNotAllowed(method);
}
