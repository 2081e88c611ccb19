import { authorize, type Operation, type SignedCall, sendEmpty, sendXml } from "./call.ts";
import { s3Errors } from "./error.ts";
import { bucketArn } from "./events.ts";
import { listBuckets, listObjects, listObjectsV2 } from "./list.ts";
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
} from "./multipart.ts";
import { copyObject, deleteObject, deleteObjects, getObject, putObject } from "./objects.ts";

/** Parameters that turn a request into an operation which is not here; ignoring one would do something else than asked. */
const otherOperations = new Set(
  (
    "accelerate acl analytics attributes cors encryption intelligent-tiering inventory legal-hold lifecycle logging " +
    "metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock replication requestPayment " +
    "restore retention select tagging torrent versionId versions website"
  ).split(" "),
);

/** The operation that a method and its query ask for. Throws S3Error. */
export function operationOf({ request, bucket, key, query }: Omit<SignedCall, "identity">): Operation {
  const { method = "GET" } = request;
  const has = (name: string) => Object.hasOwn(query, name);
  const other = Object.keys(query).find((name) => otherOperations.has(name));
  if (other !== undefined) throw s3Errors.notImplemented(`?${other}`);
  if (bucket === "") {
    if (method === "GET") return listBuckets;
  } else if (key === "") {
    if (method === "HEAD") return headBucket;
    if (method === "GET" && has("location")) return getBucketLocation;
    if (method === "GET" && has("versioning")) return getBucketVersioning;
    if (method === "GET" && has("uploads")) return listMultipartUploads;
    if (method === "GET") return query["list-type"] === "2" ? listObjectsV2 : listObjects;
    if (method === "POST" && has("delete")) return deleteObjects;
    if (method === "PUT" || method === "DELETE") throw s3Errors.notImplemented("buckets are declared in infra/");
  } else {
    if (method === "GET" || method === "HEAD") return has("uploadId") ? listParts : getObject;
    if (method === "DELETE") return has("uploadId") ? abortMultipartUpload : deleteObject;
    if (method === "POST" && has("uploads")) return createMultipartUpload;
    if (method === "POST" && has("uploadId")) return completeMultipartUpload;
    if (method === "PUT" && has("uploadId")) return uploadPart;
    if (method === "PUT") return request.headers["x-amz-copy-source"] === undefined ? putObject : copyObject;
  }
  throw s3Errors.methodNotAllowed(method);
}

const headBucket: Operation = ({ deps, response, bucket, identity }) => {
  authorize(deps, identity.principal, "s3:ListBucket", bucketArn(bucket));
  sendEmpty(response, 200, { "x-amz-bucket-region": deps.region });
};

/** Empty for us-east-1, as it has always been. */
const getBucketLocation: Operation = ({ deps, response, bucket, identity }) => {
  authorize(deps, identity.principal, "s3:GetBucketLocation", bucketArn(bucket));
  sendXml(response, "LocationConstraint", deps.region === "us-east-1" ? "" : deps.region);
};

const getBucketVersioning: Operation = ({ deps, response, bucket, identity }) => {
  authorize(deps, identity.principal, "s3:GetBucketVersioning", bucketArn(bucket));
  sendXml(response, "VersioningConfiguration", "");
};
