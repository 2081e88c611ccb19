import { hmacHex, type Identity, sameSignature, sha256Hex } from "../sigv4.ts";
import { S3Error, s3Errors } from "./error.ts";

/** Longest line of the encoding that is taken: a chunk's size and signature, or one trailer. */
const maxLineBytes = 8 * 1024;
/** S3 takes chunks up to any size; a signed one has to be in memory whole before it may be believed. */
const maxSignedChunkBytes = 64 * 1024 * 1024;

const emptyHash = sha256Hex("");

/**
 * Decodes a body in the `aws-chunked` encoding: `SIZE[;chunk-signature=…]CRLF data CRLF` until a chunk of size 0, then
 * trailers. With `signer`, each chunk's signature covers the one before it, and the first the request's own: a chunk is
 * yielded only after its signature has been verified. Trailers are put into `trailers`. Throws S3Error.
 * Source: "Signature calculations … transferring payload in multiple chunks", S3 API reference, November 2026.
 */
export async function* decodeAwsChunked(
  body: AsyncIterable<Buffer>,
  signer: Identity | null,
  trailers: Record<string, string>,
): AsyncGenerator<Buffer> {
  const reader = createReader(body);
  const verify = createVerifier(signer);
  try {
    for (;;) {
      const header = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(await reader.line());
      if (!header) throw s3Errors.incompleteBody();
      const sizeBytes = Number.parseInt(header[1] ?? "", 16);
      if (sizeBytes === 0) {
        verify(header[2], "PAYLOAD", [emptyHash, emptyHash]);
        break;
      }
      if (signer) {
        if (sizeBytes > maxSignedChunkBytes) throw s3Errors.invalidRequest("A signed chunk is larger than 64 MB.");
        const chunk = await reader.whole(sizeBytes);
        verify(header[2], "PAYLOAD", [emptyHash, sha256Hex(chunk)]);
        yield chunk;
      } else {
        yield* reader.take(sizeBytes);
      }
      if ((await reader.line()) !== "") throw s3Errors.incompleteBody();
    }
    await readTrailers(reader, verify, signer !== null, trailers);
  } finally {
    await reader.close();
  }
}

type Verify = (signature: string | undefined, kind: "PAYLOAD" | "TRAILER", hashes: string[]) => void;

/** Each call covers the signature of the one before. Throws S3Error; without a signer nothing is verified. */
function createVerifier(signer: Identity | null): Verify {
  let previous = signer?.signature ?? "";
  return (signature, kind, hashes) => {
    if (!signer) return;
    const stringToSign = [`AWS4-HMAC-SHA256-${kind}`, signer.amzDate, signer.scope, previous, ...hashes].join("\n");
    const expected = hmacHex(signer.signingKey, stringToSign);
    if (!sameSignature(expected, signature ?? "")) throw notSigned();
    previous = expected;
  };
}

async function readTrailers(reader: Reader, verify: Verify, signed: boolean, trailers: Record<string, string>) {
  let unverified = "";
  for (let line = await reader.lastLine(); line !== ""; line = await reader.lastLine()) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === "x-amz-trailer-signature") {
      verify(value, "TRAILER", [sha256Hex(unverified)]);
      unverified = "";
    } else {
      trailers[name] = value;
      unverified += `${name}:${value}\n`;
    }
  }
  if (signed && unverified !== "") throw notSigned();
}

function notSigned(): S3Error {
  return new S3Error(403, "SignatureDoesNotMatch", "A chunk or the trailer is not what its signature covers.");
}

type Reader = ReturnType<typeof createReader>;

function createReader(body: AsyncIterable<Buffer>) {
  const source = body[Symbol.asyncIterator]();
  let buffered: Buffer = Buffer.alloc(0);

  /** False at the end of the body. */
  async function more(): Promise<boolean> {
    const next = await source.next();
    if (next.done) return false;
    buffered = buffered.length === 0 ? next.value : Buffer.concat([buffered, next.value]);
    return true;
  }

  async function line(): Promise<string> {
    for (;;) {
      const end = buffered.indexOf("\r\n");
      if (end !== -1) {
        const text = buffered.toString("latin1", 0, end);
        buffered = buffered.subarray(end + 2);
        return text;
      }
      if (buffered.length > maxLineBytes || !(await more())) throw s3Errors.incompleteBody();
    }
  }

  async function* take(sizeBytes: number): AsyncGenerator<Buffer> {
    let missing = sizeBytes;
    while (missing > 0) {
      if (buffered.length === 0 && !(await more())) throw s3Errors.incompleteBody();
      const part = buffered.subarray(0, missing);
      buffered = buffered.subarray(part.length);
      missing -= part.length;
      if (part.length > 0) yield part;
    }
  }

  return {
    line,
    take,
    /** Stops reading, in the middle too. */
    close: async () => void (await source.return?.()),
    async whole(sizeBytes: number): Promise<Buffer> {
      const parts: Buffer[] = [];
      for await (const part of take(sizeBytes)) parts.push(part);
      return Buffer.concat(parts);
    },
    /** A line of the trailer, whose last line end some clients leave out. */
    async lastLine(): Promise<string> {
      while (buffered.indexOf("\r\n") === -1 && buffered.length <= maxLineBytes) {
        if (await more()) continue;
        const text = buffered.toString("latin1").trim();
        buffered = Buffer.alloc(0);
        return text;
      }
      return line();
    },
  };
}
