import { createHmac } from "node:crypto";
import { partition } from "@aws-sdk/core/client";

/** Lets its holder upload one object, without credentials of their own: a `multipart/form-data` of these fields and the file. */
export interface UploadForm {
  url: string;
  fields: Record<string, string>;
}

export interface UploadFormOptions {
  contentType: string;
  maxBytes: number;
  /** The result that the upload is announced for. Pinned as the object's metadata: what comes by this form tells that it did. */
  announcedId: string;
  expiresAt: Date;
  now: Date;
}

export type SignUploadForm = (key: string, options: UploadFormOptions) => Promise<UploadForm>;

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * The form that `@aws-sdk/s3-presigned-post` would sign, to the byte, without S3's client: that is more to load than the rest of a
 * function which only signs.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
export function createFormSigner(options: {
  bucket: string;
  /** Of an S3 that is not Amazon's. */
  endpoint: string | undefined;
  region(): Promise<string>;
  credentials(): Promise<Credentials>;
}): SignUploadForm {
  const { bucket, endpoint } = options;
  return async (key, { contentType, maxBytes, announcedId, expiresAt, now }) => {
    const [region, { accessKeyId, secretAccessKey, sessionToken }] = await Promise.all([
      options.region(),
      options.credentials(),
    ]);
    const time = iso8601(now).replace(/[-:]/g, "");
    const scope = [time.slice(0, 8), region, "s3", "aws4_request"];
    const fields = {
      "Content-Type": contentType,
      success_action_status: "201",
      "x-amz-meta-announced": announcedId,
      bucket,
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Credential": [accessKeyId, ...scope].join("/"),
      "X-Amz-Date": time,
      ...(sessionToken && { "X-Amz-Security-Token": sessionToken }),
    };
    const conditions = [
      ["content-length-range", 1, maxBytes],
      ...Object.entries({ ...fields, key }).map(([name, value]) => ({ [name]: value })),
    ];
    const policy = Buffer.from(JSON.stringify({ expiration: iso8601(expiresAt), conditions })).toString("base64");
    const signingKey = scope.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
    return {
      url: endpoint ? `${endpoint.replace(/\/$/, "")}/${bucket}` : `https://${hostOf(bucket, region)}/`,
      fields: { ...fields, key, Policy: policy, "X-Amz-Signature": hmac(signingKey, policy).toString("hex") },
    };
  };
}

const hostOf = (bucket: string, region: string) => `${bucket}.s3.${region}.${partition(region).dnsSuffix}`;

/** Without milliseconds. */
const iso8601 = (date: Date): string => date.toISOString().replace(/\.\d{3}Z$/, "Z");

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
