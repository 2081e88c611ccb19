import type { IncomingMessage } from "node:http";
import { PassThrough, type Readable } from "node:stream";
import { Busboy } from "@fastify/busboy";
import { Sha256 } from "@smithy/core/checksum";
import { getSigningKey } from "@smithy/signature-v4";
import type { Principal } from "../iam.ts";
import {
  checkScope,
  hmacHex,
  mismatchMessage,
  parseAmzDate,
  parseCredential,
  SignatureError,
  sameSignature,
} from "../sigv4.ts";
import { authorize, authorizeKey, commitObject, encryptionHeaders, objectArn, type S3Call, sendEmpty } from "./call.ts";
import { checkDigests, declaredDigests, digestBody } from "./checksum.ts";
import { S3Error, s3Errors, signatureRefused } from "./error.ts";
import { storedHeaders } from "./headers.ts";
import { checkOptions } from "./options.ts";
import { checkPolicy, type SizeRange } from "./policy.ts";
import { checkKey } from "./request.ts";
import { xmlDocument } from "./xml.ts";

/** Of all fields before the file. Source: "POST object", S3 API reference, November 2026. */
const maxFieldsBytes = 20 * 1024;

/** Stands in a form's key for the name of the user's file. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: S3's variable, not JavaScript's.
const filenameVariable = "${filename}";

interface Form {
  /** By names in lower case; fields after the file do not count, as in S3. */
  fields: Record<string, string>;
  filename: string;
  file: Readable;
}

/** The browser's upload: a form whose policy was signed beforehand says what may be stored. Resolves with who signed it. */
export async function postObject(call: S3Call): Promise<Principal> {
  const { deps, request, bucket } = call;
  const { fields, filename, file } = await readForm(request);
  const key = requiredField(fields, "key").replaceAll(filenameVariable, () => filename);
  if (key === "") throw s3Errors.invalidArgument("User key must have a length greater than 0.");
  checkKey(key);
  if (fields.policy === undefined) throw s3Errors.accessDenied();
  const principal = await verifyForm(call, fields, fields.policy);
  const size = checkPolicy(fields.policy, { ...fields, key, bucket }, new Date(deps.now()));
  authorize(deps, principal, "s3:PutObject", objectArn(bucket, key));
  authorizeKey(deps, principal, bucket, "kms:GenerateDataKey");
  const { acl, tagging, ...others } = fields;
  // Two fields that a form names otherwise than a header.
  const options = { ...others, ...(acl && { "x-amz-acl": acl }), ...(tagging && { "x-amz-tagging": tagging }) };
  checkOptions(options, { bucket: deps.buckets.get(bucket), account: deps.account });

  const headers = storedHeaders(fields);
  const declared = declaredDigests(fields);
  const digest = digestBody(declared);
  const { blob, sizeBytes } = await deps.blobs.write(withinRange(file, size, digest.update));
  const digests = await digest.finish();
  try {
    checkDigests(declared, digests, {});
  } catch (error) {
    await deps.blobs.remove([blob]);
    throw error;
  }
  const { md5: etag, checksum } = digests;
  await commitObject(
    call,
    principal,
    { bucket, key, blob, sizeBytes, etag, modifiedMs: deps.now(), headers, checksum },
    "Post",
  );
  respond(call, fields, key, etag);
  return principal;
}

/** Resolves when the file begins: the fields before it are complete then. Throws S3Error. */
function readForm(request: IncomingMessage): Promise<Form> {
  const { "content-type": contentType = "" } = request.headers;
  if (!/boundary=/i.test(contentType)) throw malformedForm();
  return new Promise((resolve, reject) => {
    const fields: Record<string, string> = {};
    let fieldsBytes = 0;
    const headers = { ...request.headers, "content-type": contentType };
    const parser = new Busboy({ headers, limits: { fieldSize: maxFieldsBytes, files: 1 } });
    parser.on("field", (name, value, _nameTruncated, valueTruncated) => {
      fieldsBytes += Buffer.byteLength(name) + Buffer.byteLength(value);
      if (valueTruncated || fieldsBytes > maxFieldsBytes) {
        const message = "Your POST request fields preceding the upload file were too large.";
        reject(
          new S3Error(400, "MaxPostPreDataLengthExceeded", message, { MaxPostPreDataLengthBytes: maxFieldsBytes }),
        );
      } else fields[name.toLowerCase()] = value;
    });
    parser.on("file", (_name, part, filename) => {
      // The parser reports a form that ends early on its own stream, perhaps before anyone reads it, and leaves that open.
      const file = new PassThrough().on("error", () => {});
      part.on("error", () => file.destroy(malformedForm()));
      part.pipe(file);
      request.once("close", () => {
        if (!request.complete) file.destroy(s3Errors.incompleteBody());
      });
      resolve({ fields: { ...fields }, filename: filename ?? "", file });
    });
    parser.once("finish", () => reject(s3Errors.invalidArgument("POST requires exactly one file upload per request.")));
    parser.once("error", () => reject(malformedForm()));
    request.pipe(parser);
  });
}

function malformedForm(): S3Error {
  return new S3Error(
    400,
    "MalformedPOSTRequest",
    "The body of your POST request is not well-formed multipart/form-data.",
  );
}

/** Who signed the policy. Throws S3Error. */
async function verifyForm({ deps }: S3Call, fields: Record<string, string>, policy: string): Promise<Principal> {
  const algorithm = requiredField(fields, "x-amz-algorithm");
  if (algorithm !== "AWS4-HMAC-SHA256") {
    throw s3Errors.invalidArgument("x-amz-algorithm must be AWS4-HMAC-SHA256", "x-amz-algorithm", algorithm);
  }
  const signature = requiredField(fields, "x-amz-signature");
  const claim = parseCredential(requiredField(fields, "x-amz-credential"));
  const amzDate = requiredField(fields, "x-amz-date");
  if (!claim || !parseAmzDate(amzDate) || !amzDate.startsWith(claim.shortDate)) {
    throw s3Errors.invalidArgument("The credential or the date is malformed.", "x-amz-credential");
  }
  try {
    const principal = checkScope(claim, { principals: deps.principals, region: deps.region, service: "s3" });
    const signingKey = await getSigningKey(Sha256, principal, claim.shortDate, claim.region, claim.service);
    if (!sameSignature(hmacHex(signingKey, policy), signature)) throw new SignatureError("mismatch", mismatchMessage);
    return principal;
  } catch (error) {
    throw error instanceof SignatureError ? signatureRefused(error) : error;
  }
}

function requiredField(fields: Record<string, string>, name: string): string {
  const value = fields[name];
  if (value !== undefined) return value;
  throw s3Errors.invalidArgument(
    `Bucket POST must contain a field named '${name}'. If it is specified, please check the order of the fields.`,
    name,
    "",
  );
}

/** The file's bytes, as long as they are not too many. Throws S3Error. */
async function* withinRange(file: Readable, size: SizeRange, update: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  let sizeBytes = 0;
  for await (const chunk of file as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > size.maxBytes) throw s3Errors.tooLarge(sizeBytes, size.maxBytes);
    update(chunk);
    yield chunk;
  }
  if (sizeBytes < size.minBytes) throw s3Errors.tooSmall(sizeBytes, size.minBytes);
}

/** As the form wishes: a redirect, 200, 201 with a document, or 204. */
function respond(call: S3Call, fields: Record<string, string>, key: string, etag: string): void {
  const { request, response, bucket } = call;
  const location = `http://${request.headers.host}/${encodeURIComponent(bucket)}/${encodeURIComponent(key)}`;
  const headers = { etag: `"${etag}"`, location, ...encryptionHeaders(call) };
  const redirect = fields.success_action_redirect ?? fields.redirect;
  if (redirect !== undefined && URL.canParse(redirect)) {
    const target = new URL(redirect);
    for (const [name, value] of Object.entries({ bucket, key, etag: headers.etag }))
      target.searchParams.set(name, value);
    sendEmpty(response, 303, { ...headers, location: target.href });
  } else if (fields.success_action_status === "201") {
    const text = xmlDocument(
      "PostResponse",
      { Location: location, Bucket: bucket, Key: key, ETag: headers.etag },
      null,
    );
    response.writeHead(201, {
      ...headers,
      "content-type": "application/xml",
      "content-length": Buffer.byteLength(text),
    });
    response.end(text);
  } else sendEmpty(response, fields.success_action_status === "200" ? 200 : 204, headers);
}
