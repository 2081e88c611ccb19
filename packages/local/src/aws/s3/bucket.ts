import { parseXML } from "@aws-sdk/xml-builder";
import * as z from "zod";
import type { BucketSpec, PolicyStatement } from "../../manifest.ts";
import { readBody } from "../loopback.ts";
import { authorize, type Operation, type SignedCall, sendEmpty, sendXml } from "./call.ts";
import { S3Error, s3Errors } from "./error.ts";
import { bucketArn } from "./events.ts";

/** Buckets stand in infra/: this makes none, and answers for one that is there as S3 answers its owner. */
export const createBucket: Operation = async ({ deps, request, response, bucket, identity }) => {
  authorize(deps, identity.principal, "s3:CreateBucket", bucketArn(bucket));
  const region = await regionIn(request);
  if (region !== deps.region) {
    throw new S3Error(
      400,
      "IllegalLocationConstraintException",
      `The ${region === "us-east-1" ? "unspecified" : region} location constraint is incompatible for the region specific ` +
        "endpoint this request was sent to.",
    );
  }
  if (!deps.buckets.has(bucket)) {
    throw s3Errors.notImplemented("a new bucket; the local stage has those of infra/");
  }
  // S3's only exception: in us-east-1 an owner may make a bucket again. Source: "CreateBucket", S3 API reference, November 2026.
  if (deps.region !== "us-east-1") {
    throw new S3Error(
      409,
      "BucketAlreadyOwnedByYou",
      "Your previous request to create the named bucket succeeded and you already own it.",
      { BucketName: bucket },
    );
  }
  sendEmpty(response, 200, { location: `/${bucket}` });
};

const configuration = z.object({
  CreateBucketConfiguration: z.union([z.literal(""), z.object({ LocationConstraint: z.string().optional() })]),
});

/** No constraint means us-east-1. */
async function regionIn(request: SignedCall["request"]): Promise<string> {
  const body = await readBody(request, 64 * 1024);
  if (body === null) throw s3Errors.malformedXml();
  if (body.length === 0) return "us-east-1";
  let parsed: z.infer<typeof configuration>;
  try {
    parsed = configuration.parse(parseXML(body.toString()));
  } catch {
    throw s3Errors.malformedXml();
  }
  const given = parsed.CreateBucketConfiguration;
  return (given !== "" && given.LocationConstraint) || "us-east-1";
}

export const headBucket: Operation = ({ deps, response, bucket, identity }) => {
  authorize(deps, identity.principal, "s3:ListBucket", bucketArn(bucket));
  sendEmpty(response, 200, { "x-amz-bucket-region": deps.region, "x-amz-access-point-alias": "false" });
};

interface Reading {
  action: string;
  /** Sends what the bucket has, or throws S3's error for what it has not. */
  send: (call: SignedCall, bucket: BucketSpec) => void;
}

const reading = (action: string, send: Reading["send"]): Reading => ({ action, send });

function notSet(code: string, message: string): S3Error {
  return new S3Error(404, code, message);
}

/**
 * What a client may ask about a bucket, by the query's name: what `s3cmd info` and its like read. Settings stand in infra/, so none
 * can be changed. Source of the codes: S3's "List of error codes", November 2026.
 */
export const bucketReadings: Record<string, Reading> = {
  // Empty for us-east-1, as it has always been.
  location: reading("s3:GetBucketLocation", ({ deps, response }) =>
    sendXml(response, "LocationConstraint", deps.region === "us-east-1" ? "" : deps.region),
  ),
  versioning: reading("s3:GetBucketVersioning", ({ response }) => sendXml(response, "VersioningConfiguration", "")),
  acl: reading("s3:GetBucketAcl", sendAcl),
  requestPayment: reading("s3:GetBucketRequestPayment", ({ response }) =>
    sendXml(response, "RequestPaymentConfiguration", { Payer: "BucketOwner" }),
  ),
  cors: reading("s3:GetBucketCORS", ({ response }, { cors }) => {
    if (cors.length === 0) throw notSet("NoSuchCORSConfiguration", "The CORS configuration does not exist");
    sendXml(response, "CORSConfiguration", {
      CORSRule: cors.map((rule) => ({
        AllowedHeader: rule.allowedHeaders,
        AllowedMethod: rule.allowedMethods,
        AllowedOrigin: rule.allowedOrigins,
        ExposeHeader: rule.exposeHeaders,
        MaxAgeSeconds: rule.maxAgeSeconds,
      })),
    });
  }),
  lifecycle: reading("s3:GetLifecycleConfiguration", ({ response }, { lifecycle }) => {
    if (lifecycle.length === 0)
      throw notSet("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist");
    sendXml(response, "LifecycleConfiguration", {
      Rule: lifecycle.map(({ prefix, expirationDays, abortMultipartDays }) => ({
        ...(expirationDays !== null && { Expiration: { Days: expirationDays } }),
        Filter: { Prefix: prefix ?? "" },
        Status: "Enabled",
        ...(abortMultipartDays !== null && {
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: abortMultipartDays },
        }),
      })),
    });
  }),
  policy: reading("s3:GetBucketPolicy", ({ response }, { policy }) => {
    if (policy.length === 0) throw notSet("NoSuchBucketPolicy", "The bucket policy does not exist");
    const text = JSON.stringify({ Version: "2012-10-17", Statement: policy.map(statementOf) });
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
    response.end(text);
  }),
  encryption: reading("s3:GetEncryptionConfiguration", ({ response }, { kmsKeyArn }) =>
    sendXml(response, "ServerSideEncryptionConfiguration", {
      Rule: {
        ApplyServerSideEncryptionByDefault: kmsKeyArn
          ? { SSEAlgorithm: "aws:kms", KMSMasterKeyID: kmsKeyArn }
          : { SSEAlgorithm: "AES256" },
        BucketKeyEnabled: kmsKeyArn !== null,
      },
    }),
  ),
  tagging: reading("s3:GetBucketTagging", () => {
    throw notSet("NoSuchTagSet", "The TagSet does not exist");
  }),
};

export function readBucket({ action, send }: Reading): Operation {
  return (call) => {
    const { deps, bucket, identity } = call;
    authorize(deps, identity.principal, action, bucketArn(bucket));
    const spec = deps.buckets.get(bucket);
    if (!spec) throw s3Errors.noSuchBucket(bucket);
    send(call, spec);
  };
}

/** With ACLs off, everything belongs to the bucket's owner and to nobody else. */
export function sendAcl({ deps, response }: SignedCall): void {
  // The type of a grantee is an attribute, which no other answer has.
  const grantee = `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>${deps.account}</ID></Grantee>`;
  const text =
    `<?xml version="1.0" encoding="UTF-8"?>\n<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
    `<Owner><ID>${deps.account}</ID></Owner><AccessControlList><Grant>${grantee}<Permission>FULL_CONTROL</Permission></Grant>` +
    "</AccessControlList></AccessControlPolicy>";
  response.writeHead(200, { "content-type": "application/xml", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function statementOf({ effect, principals, actions, resources, conditions = [] }: PolicyStatement) {
  const tests: Record<string, Record<string, string[]>> = {};
  for (const { test, variable, values } of conditions) tests[test] = { ...tests[test], [variable]: values };
  const everyone = principals?.["*"] !== undefined;
  return {
    Effect: effect,
    Principal: everyone ? "*" : principals,
    Action: actions,
    Resource: resources,
    ...(conditions.length > 0 && { Condition: tests }),
  };
}
