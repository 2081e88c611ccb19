import { decodeEncodedWords } from "./encoded-words.ts";

/**
 * An object's metadata as its uploader meant it. S3 encodes text beyond ASCII as RFC 2047 says, and no SDK decodes it.
 * Source: "Working with object metadata", S3 user guide, and aws/amazon-s3-encryption-client-go#56, read in November 2026.
 */
export function decodeMetadata(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name, readAsUtf8(decodeEncodedWords(value))]),
  );
}

/**
 * S3 reads headers as ISO-8859-1: of a client that sends UTF-8, each byte comes back as a character. Other stores return the bytes, and
 * Node reads headers as ISO-8859-1 too. So text whose characters are the bytes of valid UTF-8 is read again, as UTF-8. Text in any
 * language hardly ever looks like that by chance.
 * Source: the example in "Working with object metadata", S3 user guide. AWS's own S3 Encryption Clients do the same.
 */
function readAsUtf8(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.toString("latin1") !== text) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return text;
  }
}
