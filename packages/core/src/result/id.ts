import { hash, randomFillSync } from "node:crypto";
import { ulid } from "ulid";

/** Crockford's base 32, as in ULIDs, so that derived and drawn ids look alike. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const pool = new Uint8Array(4_096);
let drawn = pool.length;

/** A 256th of 0 to 255. ulid's own source asks the system for each of 16 letters, which is a twentieth of a warm event. */
function random(): number {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  return (pool[drawn++] ?? 0) / 256;
}

/** Unlike any other, and later than those before it. */
export const newUlid = (): string => ulid(undefined, random);

/** A fresh id: sorts by time. */
export const newResultId = (): string => `res_${newUlid()}`;

/** The id that the same identity always gives: it makes a result its own idempotency record. 130 bits of SHA-256. */
export function derivedResultId(...identity: string[]): string {
  let bits = BigInt(`0x${hash("sha256", JSON.stringify(identity))}`);
  let text = "";
  for (let i = 0; i < 26; i++) {
    text += alphabet[Number(bits & 31n)];
    bits >>= 5n;
  }
  return `res_${text}`;
}

export const resultIdPattern = /^res_[0-9A-HJKMNP-TV-Z]{26}$/;

export const isResultId = (text: string): boolean => resultIdPattern.test(text);

/** What tells two requests under one `Idempotency-Key` apart. */
export const hashOf = (request: unknown): string => hash("sha256", JSON.stringify(request), "base64url");
