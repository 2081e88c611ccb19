import { s3Errors } from "./error.ts";

/** First and last byte, both included. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * `bytes=0-99`, `bytes=100-` or `bytes=-100` (the last hundred) of an object of that size. Null for no range, several
 * ranges or one that is not understood: the whole object then, as RFC 9110 has it. Throws S3Error (416).
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | null {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (header === undefined || (first === "" && last === "")) return null;
  const start = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (first !== "" && last !== "" && Number(last) < start) return null;
  if (start >= sizeBytes || (first === "" && last === "0")) throw s3Errors.invalidRange(header, sizeBytes);
  return { start, end };
}
