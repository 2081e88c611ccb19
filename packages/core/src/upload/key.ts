import { ownerPattern } from "../key/owner.ts";
import { isResultId } from "../result/id.ts";

/** Objects below this prefix are analysed. */
export const uploadsPrefix = "uploads/";

/** The key of an upload that was announced with `POST /uploads`. */
export const uploadKey = (owner: string, resultId: string): string => `${uploadsPrefix}${owner}/${resultId}`;

/** Whose object it is, and the result that it was announced for, if any. null when the key names no owner. */
export function parseUploadKey(key: string): { owner: string; announcedId: string | null } | null {
  if (!key.startsWith(uploadsPrefix)) return null;
  const [owner = "", ...rest] = key.slice(uploadsPrefix.length).split("/");
  const name = rest.join("/");
  if (!ownerPattern.test(owner) || name === "") return null;
  return { owner, announcedId: isResultId(name) ? name : null };
}
