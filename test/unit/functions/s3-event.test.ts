import { parseUploadKey, uploadKey } from "@tollgate/core/upload/key";
import { createdObjects } from "@tollgate/functions/s3-event";
import { describe, expect, test } from "vitest";

const event = (eventName: string, key: string) =>
  JSON.stringify({
    Records: [{ eventName, s3: { bucket: { name: "b" }, object: { key, size: 3, eTag: "e", sequencer: "0A" } } }],
  });

describe("S3's notification", () => {
  test.each([
    ["uploads/acme/a+cat.jpg", "uploads/acme/a cat.jpg"],
    ["uploads/acme/a%2Bb.jpg", "uploads/acme/a+b.jpg"],
    ["uploads/acme/%C3%BC%25.jpg", "uploads/acme/ü%.jpg"],
  ])("writes the key %s for %s", (written, key) => {
    expect(createdObjects(event("ObjectCreated:Put", written))).toEqual([
      { bucket: "b", key, sizeBytes: 3, etag: "e", sequencer: "0A" },
    ]);
  });

  test("tells of nothing created when it is S3's test, or of another kind", () => {
    expect(createdObjects(JSON.stringify({ Service: "Amazon S3", Event: "s3:TestEvent", Bucket: "b" }))).toEqual([]);
    expect(createdObjects(event("ObjectRemoved:Delete", "uploads/acme/a"))).toEqual([]);
  });

  test.each(["hello", "{}", '{"Records": [{}]}'])("is not %s", (body) => {
    expect(() => createdObjects(body)).toThrow();
  });
});

describe("an upload's key", () => {
  test("names its owner, and the result that it was announced for", () => {
    const id = "res_01M823XC6ZAKEXXEV2NJ4XQAGE";
    expect(parseUploadKey(uploadKey("acme", id))).toEqual({ owner: "acme", announcedId: id });
    expect(parseUploadKey("uploads/acme/2026/cat.jpg")).toEqual({ owner: "acme", announcedId: null });
  });

  test.each(["uploads/cat.jpg", "uploads/acme/", "uploads/AC ME/cat.jpg", "uploads//cat.jpg", "outputs/acme/x"])(
    "names nobody in %s",
    (key) => {
      expect(parseUploadKey(key)).toBeNull();
    },
  );
});
