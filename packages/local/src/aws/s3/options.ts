import type { IncomingHttpHeaders } from "node:http";
import type { BucketSpec } from "../../manifest.ts";
import { S3Error, s3Errors } from "./error.ts";

/**
 * What a request wants besides its operation: its `x-amz-…` headers, which a presigned URL has in its query and a form in its
 * fields. Each name is carried out, checked, harmless, or refused by its name. None is ignored. Source of names and
 * values: the S3 API reference, November 2026.
 */
type Options = IncomingHttpHeaders | Record<string, string>;

/** Either carried out elsewhere, or without any effect on what is stored. */
const supported = new Set(
  (
    "date content-sha256 decoded-content-length trailer user-agent security-token request-payer sdk-checksum-algorithm " +
    "metadata-directive storage-class mp-object-size " +
    "copy-source copy-source-range copy-source-if-match copy-source-if-none-match copy-source-if-modified-since " +
    "copy-source-if-unmodified-since " +
    // Objects that are being restored: none is.
    "optional-object-attributes " +
    // Of a signature, in the query or in a form.
    "algorithm credential expires signature signedheaders"
  ).split(" "),
);
const supportedPrefixes = ["meta-", "checksum-"];

interface Context {
  bucket: BucketSpec | undefined;
  account: string;
}

type Check = (value: string, context: Context) => void;

/** Fine with some values, and those say what holds anyway. */
const checks: Record<string, Check> = {
  acl: checkAcl,
  "expected-bucket-owner": checkOwner,
  "source-expected-bucket-owner": checkOwner,
  "tagging-directive": only("COPY"),
  "bucket-object-lock-enabled": only("false", "False"),
  "object-ownership": only("BucketOwnerEnforced"),
  "server-side-encryption": (value, { bucket }) => only(bucket?.kmsKeyArn ? "aws:kms" : "AES256")(value),
  "server-side-encryption-aws-kms-key-id": (value, { bucket }) => only(bucket?.kmsKeyArn ?? "")(value),
};

/** Throws S3Error for what S3 would refuse, and for what it would do and the local S3 cannot. */
export function checkOptions(options: Options, context: Context): void {
  for (const [header, given] of Object.entries(options)) {
    if (!header.startsWith("x-amz-") || given === undefined) continue;
    const name = header.slice("x-amz-".length);
    if (supported.has(name) || supportedPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    if (name.startsWith("grant-")) throw aclsAreOff();
    const value = [given].flat().join(",");
    if (!Object.hasOwn(checks, name)) throw s3Errors.notImplemented(header);
    try {
      checks[name]?.(value, context);
    } catch (error) {
      throw error === otherValue ? s3Errors.notImplemented(`${header}: ${value}`) : error;
    }
  }
}

const otherValue = new Error("a value that would make S3 do something else");

function only(...values: string[]): (value: string) => void {
  return (value) => {
    if (!values.includes(value)) throw otherValue;
  };
}

/**
 * ACLs are off in every bucket since April 2023, and in SST's. S3 documents that such a bucket takes `bucket-owner-full-control`
 * and nothing else. In fact it also takes `private` from the owner's own account, which rclone and Flysystem send unasked
 * (thephpleague/flysystem issues 1580 and 1874, June 2026).
 */
function checkAcl(value: string): void {
  if (value !== "bucket-owner-full-control" && value !== "private") throw aclsAreOff();
}

function aclsAreOff(): S3Error {
  return new S3Error(400, "AccessControlListNotSupported", "The bucket does not allow ACLs");
}

function checkOwner(value: string, { account }: Context): void {
  if (value !== account) throw s3Errors.accessDenied();
}
