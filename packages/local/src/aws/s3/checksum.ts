import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { crc32 } from "node:zlib";
import { Crc32c, Crc64Nvme } from "@aws-sdk/checksums/crc";
import { S3Error, s3Errors } from "./error.ts";

/** A checksum that grows with the body. */
interface Digest {
  update(chunk: Buffer): void;
  /** Base64, as it stands in headers. */
  base64(): Promise<string>;
}

/** By the last part of the header's name: `x-amz-checksum-crc32`. */
const algorithms = {
  crc32: crc32Digest,
  crc32c: () => sdkDigest(new Crc32c()),
  crc64nvme: () => sdkDigest(new Crc64Nvme()),
  sha1: () => hashDigest("sha1"),
  sha256: () => hashDigest("sha256"),
} satisfies Record<string, () => Digest>;

export type ChecksumAlgorithm = keyof typeof algorithms;

/** What S3 keeps of an object's checksum, and gives back to who asks with `x-amz-checksum-mode`. */
export interface Checksum {
  algorithm: ChecksumAlgorithm;
  value: string;
}

export interface BodyDigests {
  md5: string;
  sha256Hex: string;
  checksum: Checksum | null;
}

/** What a client said of its body. A checksum's value is null while it is still to come in the trailer. */
export interface DeclaredDigests {
  md5: string | null;
  sha256Hex: string | null;
  algorithm: ChecksumAlgorithm | null;
  checksum: string | null;
}

/** The digests that a request's headers declare. Throws S3Error for more than one checksum. */
export function declaredDigests(headers: IncomingHttpHeaders): DeclaredDigests {
  const named = (Object.keys(algorithms) as ChecksumAlgorithm[]).filter((name) => headers[`x-amz-checksum-${name}`]);
  if (named.length > 1) throw s3Errors.invalidRequest("Expecting a single x-amz-checksum- header.");
  const trailer = /x-amz-checksum-(\w+)/.exec(String(headers["x-amz-trailer"] ?? ""))?.[1];
  const algorithm = named[0] ?? algorithmNamed(trailer);
  const md5 = headers["content-md5"];
  const sha256 = String(headers["x-amz-content-sha256"] ?? "");
  return {
    md5: typeof md5 === "string" ? md5 : null,
    sha256Hex: /^[0-9a-f]{64}$/.test(sha256) ? sha256 : null,
    algorithm,
    checksum: named[0] === undefined ? null : String(headers[`x-amz-checksum-${named[0]}`]),
  };
}

/** `CRC32` as in x-amz-checksum-algorithm, in any case; null for none or one that is not known. */
export function algorithmNamed(name: string | undefined): ChecksumAlgorithm | null {
  const lower = name?.toLowerCase() ?? "";
  return Object.hasOwn(algorithms, lower) ? (lower as ChecksumAlgorithm) : null;
}

/** Computes what was declared, and always the MD5 that an ETag is made of. */
export function digestBody(declared: DeclaredDigests) {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  const checksum = declared.algorithm && algorithms[declared.algorithm]();
  return {
    update(chunk: Buffer): void {
      md5.update(chunk);
      if (declared.sha256Hex !== null) sha256.update(chunk);
      checksum?.update(chunk);
    },
    async finish(): Promise<BodyDigests> {
      return {
        md5: md5.digest("hex"),
        sha256Hex: sha256.digest("hex"),
        checksum: checksum && declared.algorithm && { algorithm: declared.algorithm, value: await checksum.base64() },
      };
    },
  };
}

/** Throws S3Error when a digest is not the declared one; `trailing` is the checksum that came after the body. */
export function checkDigests(declared: DeclaredDigests, actual: BodyDigests, trailing: Record<string, string>): void {
  if (declared.sha256Hex !== null && declared.sha256Hex !== actual.sha256Hex) throw s3Errors.sha256Mismatch();
  if (declared.md5 !== null) {
    const md5 = Buffer.from(declared.md5, "base64");
    if (md5.length !== 16) throw new S3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.");
    if (md5.toString("hex") !== actual.md5) throw s3Errors.badDigest("Content-MD5");
  }
  if (actual.checksum === null) return;
  const { algorithm, value } = actual.checksum;
  const wanted = declared.checksum ?? trailing[`x-amz-checksum-${algorithm}`];
  if (wanted !== undefined && wanted !== value) throw s3Errors.badDigest(algorithm.toUpperCase());
}

function hashDigest(name: "sha1" | "sha256"): Digest {
  const hash = createHash(name);
  return { update: (chunk) => void hash.update(chunk), base64: async () => hash.digest("base64") };
}

function crc32Digest(): Digest {
  let value = 0;
  return {
    update(chunk) {
      value = crc32(chunk, value);
    },
    async base64() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes.toString("base64");
    },
  };
}

function sdkDigest(checksum: { update(chunk: Uint8Array): void; digest(): Promise<Uint8Array> }): Digest {
  return {
    update: (chunk) => checksum.update(chunk),
    base64: async () => Buffer.from(await checksum.digest()).toString("base64"),
  };
}
