import type { SignatureError } from "../sigv4.ts";

/** An error in S3's own words. `details` are further elements of its XML. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Record<string, string | number>;
  constructor(status: number, code: string, message: string, details: Record<string, string | number> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** S3's codes, statuses and texts. Source: S3's "List of error codes", November 2026. */
export const s3Errors = {
  accessDenied: (message = "Access Denied") => new S3Error(403, "AccessDenied", message),
  noSuchBucket: (bucket: string) =>
    new S3Error(404, "NoSuchBucket", "The specified bucket does not exist", { BucketName: bucket }),
  noSuchKey: (key: string) => new S3Error(404, "NoSuchKey", "The specified key does not exist.", { Key: key }),
  noSuchUpload: (uploadId: string) =>
    new S3Error(404, "NoSuchUpload", "The specified multipart upload does not exist.", { UploadId: uploadId }),
  invalidArgument: (message: string, name?: string, value?: string) =>
    new S3Error(400, "InvalidArgument", message, {
      ...(name === undefined ? {} : { ArgumentName: name }),
      ...(value === undefined ? {} : { ArgumentValue: value }),
    }),
  invalidRequest: (message: string) => new S3Error(400, "InvalidRequest", message),
  malformedXml: () =>
    new S3Error(
      400,
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
    ),
  keyTooLong: (sizeBytes: number, maxBytes: number) =>
    new S3Error(400, "KeyTooLongError", "Your key is too long", { Size: sizeBytes, MaxSizeAllowed: maxBytes }),
  tooLarge: (proposed: number, max: number) =>
    new S3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
      ProposedSize: proposed,
      MaxSizeAllowed: max,
    }),
  tooSmall: (proposed: number, min: number) =>
    new S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
      ProposedSize: proposed,
      MinSizeAllowed: min,
    }),
  incompleteBody: () =>
    new S3Error(
      400,
      "IncompleteBody",
      "You did not provide the number of bytes specified by the Content-Length HTTP header",
    ),
  badDigest: (algorithm: string) =>
    new S3Error(400, "BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`),
  sha256Mismatch: () =>
    new S3Error(
      400,
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
  preconditionFailed: (condition: string) =>
    new S3Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
      Condition: condition,
    }),
  invalidRange: (range: string, sizeBytes: number) =>
    new S3Error(416, "InvalidRange", "The requested range is not satisfiable", {
      RangeRequested: range,
      ActualObjectSize: sizeBytes,
    }),
  methodNotAllowed: (method: string) =>
    new S3Error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.", {
      Method: method,
    }),
  notImplemented: (what: string) =>
    new S3Error(
      501,
      "NotImplemented",
      `A header or query you provided implies functionality that is not implemented here: ${what}`,
    ),
};

export function signatureRefused({ fault, message }: SignatureError): S3Error {
  switch (fault) {
    case "missing":
    case "expired":
    case "notYetValid":
      return s3Errors.accessDenied(fault === "missing" ? undefined : message);
    case "unknownKey":
      return new S3Error(
        403,
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
      );
    case "mismatch":
      return new S3Error(403, "SignatureDoesNotMatch", message);
    case "tooSkewed":
      return new S3Error(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
      );
    case "malformed":
    case "wrongScope":
      return new S3Error(400, "AuthorizationHeaderMalformed", message);
  }
}
