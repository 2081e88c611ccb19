import { createHash, randomBytes } from "node:crypto";

const prefix = "tg-";

/** A new API key: 256 random bits. It is shown once; only its hash is stored. */
export const newApiKey = (): string => `${prefix}${randomBytes(32).toString("base64url")}`;

/** SHA-256 suffices: a key has 256 random bits, and nobody guesses those however fast the hash is. */
export const hashApiKey = (apiKey: string): string => createHash("sha256").update(apiKey).digest("hex");

/** The key in an `Authorization: Bearer …` header; null when it holds none of ours. */
export function bearerKey(authorization: string | undefined): string | null {
  const [, key] = /^Bearer +(tg-[A-Za-z0-9_-]{43})$/i.exec(authorization?.trim() ?? "") ?? [];
  return key ?? null;
}
