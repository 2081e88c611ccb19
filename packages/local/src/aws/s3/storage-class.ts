import { S3Error } from "./error.ts";
import type { StoredObject } from "./store.ts";

export const storageClassHeader = "x-amz-storage-class";

/** Of buckets in a region, not of directory buckets or Outposts. Source: "PutObject", S3 API reference, November 2026. */
const storageClasses = new Set(
  "STANDARD REDUCED_REDUNDANCY STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING GLACIER DEEP_ARCHIVE GLACIER_IR".split(" "),
);

/** Their objects have to be restored before they are read. Source: "Working with archived objects", S3 user guide, November 2026. */
const archives = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** The class that a write asks for. Throws S3Error. */
export function parseStorageClass(given: string | undefined): string {
  if (given === undefined || storageClasses.has(given)) return given ?? "STANDARD";
  throw new S3Error(400, "InvalidStorageClass", "The storage class you specified is not valid", {
    StorageClassRequested: given,
  });
}

/** S3 tells the class of an object only when it is not STANDARD, so it is kept like a header. */
export function storageClassOf({ headers }: Pick<StoredObject, "headers">): string {
  return headers[storageClassHeader] ?? "STANDARD";
}

/** Throws S3Error for an archived object. Nothing is ever restored here. */
export function checkReadable(object: StoredObject, use: "read" | "copy"): void {
  const StorageClass = storageClassOf(object);
  if (!archives.has(StorageClass)) return;
  const message =
    use === "read"
      ? "The operation is not valid for the object's storage class"
      : "Operation is not valid for the source object's storage class";
  throw new S3Error(403, "InvalidObjectState", message, { StorageClass });
}
