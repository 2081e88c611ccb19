import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Sha256 } from "@smithy/core/checksum";
import { createScope, getCanonicalQuery, getSigningKey, MAX_PRESIGNED_TTL } from "@smithy/signature-v4";
import type { Principal, Principals } from "./iam.ts";

/** A request as it came over the wire. */
export interface SignedRequest {
  method: string;
  /** Raw path and query. */
  url: string;
  headers: IncomingHttpHeaders;
}

export interface Verifier {
  principals: Principals;
  region: string;
  service: "dynamodb" | "sqs" | "s3";
  now?: () => Date;
}

/** Who signed, and what a later part of the same request (an aws-chunked body) is signed with. */
export interface Identity {
  principal: Principal;
  signingKey: Uint8Array;
  scope: string;
  /** `20261122T090000Z`. */
  amzDate: string;
  signature: string;
  /** Names in lower case: a header that is not among them proves nothing. */
  signedHeaders: string[];
}

export type SignatureFault =
  | "missing"
  | "malformed"
  | "unknownKey"
  | "wrongScope"
  | "mismatch"
  | "expired"
  | "notYetValid"
  | "tooSkewed";

/** Why a signature was not accepted; each service has its own code and status for each fault. */
export class SignatureError extends Error {
  readonly fault: SignatureFault;
  constructor(fault: SignatureFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** How far a signature's date may lie from the server's clock. Source: AWS's Signature Version 4 reference, 2026. */
export const maxSkewMs = 15 * 60_000;

/** Shown for a wrong signature; AWS's own text. */
export const mismatchMessage =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and " +
  "signing method. Consult the service documentation for details.";

interface Claim {
  accessKeyId: string;
  shortDate: string;
  region: string;
  service: string;
  signedHeaders: string[];
  signature: string;
  amzDate: string;
  /** Of a presigned URL; null for a request signed in its headers. */
  expiresSeconds: number | null;
}

/**
 * Verifies a Signature Version 4, in the Authorization header or in the query of a presigned URL.
 * `payloadHash` is the last line of the canonical request. Throws SignatureError.
 */
export async function verifySignature(
  request: SignedRequest,
  payloadHash: string,
  verifier: Verifier,
): Promise<Identity> {
  const claim = readClaim(request);
  const date = parseAmzDate(claim.amzDate);
  if (!date || !claim.amzDate.startsWith(claim.shortDate)) {
    throw new SignatureError("malformed", "The date of the credential scope is not the date of the request.");
  }
  const principal = checkScope(claim, verifier);
  const signingKey = await getSigningKey(Sha256, principal, claim.shortDate, claim.region, claim.service);
  const scope = createScope(claim.shortDate, claim.region, claim.service);
  const isSigned = (headers: IncomingHttpHeaders) => {
    const canonical = canonicalRequest({ ...request, headers }, claim.signedHeaders, payloadHash, claim.service);
    const stringToSign = ["AWS4-HMAC-SHA256", claim.amzDate, scope, sha256Hex(canonical)].join("\n");
    return sameSignature(hmacHex(signingKey, stringToSign), claim.signature);
  };
  // Signers hash the UTF-8 of a header. Node hands on what came as Latin-1, which is what its own clients send; others send UTF-8.
  if (!isSigned(request.headers) && !isSigned(decodeHeaders(request.headers))) {
    throw new SignatureError("mismatch", mismatchMessage);
  }
  checkAge(claim, date, verifier.now?.() ?? new Date());
  return {
    principal,
    signingKey,
    scope,
    amzDate: claim.amzDate,
    signature: claim.signature,
    signedHeaders: claim.signedHeaders,
  };
}

/** The principal of a credential scope that names this service and region. Throws SignatureError. */
export function checkScope(claim: Pick<Claim, "accessKeyId" | "region" | "service">, verifier: Verifier): Principal {
  const principal = verifier.principals.find(claim.accessKeyId);
  if (!principal) throw new SignatureError("unknownKey", "The security token included in the request is invalid.");
  if (claim.service !== verifier.service) {
    throw new SignatureError("wrongScope", `Credential should be scoped to correct service: '${verifier.service}'.`);
  }
  if (claim.region !== verifier.region) {
    throw new SignatureError("wrongScope", `Credential should be scoped to a valid region, not '${claim.region}'.`);
  }
  return principal;
}

export function isPresigned(request: Pick<SignedRequest, "url" | "headers">): boolean {
  return request.headers.authorization === undefined && /[?&]X-Amz-Algorithm=/i.test(request.url);
}

/** `key/20261122/us-east-1/s3/aws4_request` → its parts, or null. */
export function parseCredential(credential: string) {
  const parts = credential.split("/");
  const [terminator, service, region, shortDate] = parts.reverse();
  const accessKeyId = parts.slice(4).reverse().join("/");
  if (terminator !== "aws4_request" || !service || !region || !shortDate || !accessKeyId) return null;
  return { accessKeyId, shortDate, region, service };
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

export function hmacHex(key: Uint8Array, data: string): string {
  return createHmac("sha256", key).update(data).digest("hex");
}

export function sameSignature(expected: string, given: string): boolean {
  return expected.length === given.length && timingSafeEqual(Buffer.from(expected), Buffer.from(given));
}

/** The query as name → value or values, decoded; `+` is a space, as S3 reads it. */
export function parseQuery(url: string): Record<string, string | string[]> {
  const start = url.indexOf("?");
  const query = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(start === -1 ? "" : url.slice(start + 1))) {
    const earlier = query.get(name);
    query.set(name, earlier === undefined ? value : [earlier, value].flat());
  }
  return Object.fromEntries(query);
}

function readClaim(request: SignedRequest): Claim {
  const { authorization } = request.headers;
  if (authorization !== undefined) return claimOfHeader(authorization, request.headers);
  if (isPresigned(request)) return claimOfQuery(parseQuery(request.url));
  throw new SignatureError("missing", "Request is missing Authentication Token");
}

function claimOfHeader(authorization: string, headers: IncomingHttpHeaders): Claim {
  const fields =
    /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)\s*$/.exec(
      authorization,
    );
  const [, credential = "", signedHeaders = "", signature = ""] = fields ?? [];
  const scope = parseCredential(credential);
  const amzDate = headers["x-amz-date"] ?? headerDate(headers.date);
  if (!scope || typeof amzDate !== "string") {
    throw new SignatureError(
      "malformed",
      "The Authorization header is not a Signature Version 4, or it has no x-amz-date.",
    );
  }
  return { ...scope, signedHeaders: signedHeaders.split(";"), signature, amzDate, expiresSeconds: null };
}

function claimOfQuery(query: Record<string, string | string[]>): Claim {
  const text = (name: string) => {
    const value = query[name];
    return typeof value === "string" ? value : "";
  };
  const scope = parseCredential(text("X-Amz-Credential"));
  const expiresSeconds = Number(text("X-Amz-Expires") || Number.NaN);
  if (!scope || text("X-Amz-Algorithm") !== "AWS4-HMAC-SHA256" || !text("X-Amz-Signature") || !text("X-Amz-Date")) {
    throw new SignatureError(
      "malformed",
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, " +
        "X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  if (!(expiresSeconds >= 0 && expiresSeconds <= MAX_PRESIGNED_TTL)) {
    throw new SignatureError("malformed", `X-Amz-Expires must be between 0 and ${MAX_PRESIGNED_TTL} seconds.`);
  }
  const signedHeaders = text("X-Amz-SignedHeaders").split(";");
  return { ...scope, signedHeaders, signature: text("X-Amz-Signature"), amzDate: text("X-Amz-Date"), expiresSeconds };
}

function canonicalRequest(
  request: SignedRequest,
  signedHeaders: string[],
  payloadHash: string,
  service: string,
): string {
  if (!signedHeaders.includes("host")) throw new SignatureError("malformed", "The signed headers must include host.");
  const path = request.url.split("?", 1)[0] ?? "/";
  return [
    request.method,
    service === "s3" ? encodePath(decodePath(path)) : encodePath(path),
    getCanonicalQuery({ query: parseQuery(request.url) } as Parameters<typeof getCanonicalQuery>[0]),
    ...signedHeaders.map((name) => `${name}:${canonicalHeader(request.headers[name])}`),
    "",
    signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

/** Node reads headers as Latin-1; clients that send other letters send their UTF-8. */
export function decodeHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? decodeUtf8(value) : value]),
  );
}

/** What Node read as Latin-1, as UTF-8 where its bytes are that. */
function decodeUtf8(latin1: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, "latin1"));
  } catch {
    return latin1;
  }
}

function canonicalHeader(value: string | string[] | undefined): string {
  return [value ?? ""]
    .flat()
    .join(",")
    .replace(/[ \t]+/g, " ")
    .replace(/^ | $/g, "");
}

/** Percent-encodes all but RFC 3986's unreserved characters and the slashes. */
function encodePath(path: string): string {
  return encodeURIComponent(path)
    .replaceAll("%2F", "/")
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Percent-decodes a raw path; an invalid escape is a malformed request. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new SignatureError("malformed", "The path is not valid percent-encoded UTF-8.");
  }
}

function checkAge(claim: Claim, date: Date, now: Date): void {
  const ageMs = now.getTime() - date.getTime();
  if (claim.expiresSeconds !== null) {
    if (ageMs > claim.expiresSeconds * 1000) throw new SignatureError("expired", "Request has expired");
    if (ageMs < -maxSkewMs) throw new SignatureError("notYetValid", "Request is not yet valid");
  } else if (Math.abs(ageMs) > maxSkewMs) {
    const earlier = ageMs > 0;
    const limit = new Date(now.getTime() + (earlier ? -maxSkewMs : maxSkewMs));
    throw new SignatureError(
      "tooSkewed",
      `Signature ${earlier ? "expired" : "not yet current"}: ${claim.amzDate} is ${earlier ? "now earlier" : "still later"} ` +
        `than ${formatAmzDate(limit)} (${formatAmzDate(now)} ${earlier ? "-" : "+"} 15 min.)`,
    );
  }
}

/** `20261122T090000Z` → Date, or null. */
export function parseAmzDate(text: string): Date | null {
  if (!/^\d{8}T\d{6}Z$/.test(text)) return null;
  const date = new Date(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  return Number.isNaN(date.getTime()) ? null : date;
}

function headerDate(date: string | undefined): string | undefined {
  const parsed = date === undefined ? new Date(Number.NaN) : new Date(date);
  return Number.isNaN(parsed.getTime()) ? undefined : formatAmzDate(parsed);
}

function formatAmzDate(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, "");
}
