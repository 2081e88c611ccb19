import { decodeMetadata } from "@tollgate/core/upload/metadata";
import { describe, expect, test } from "vitest";

const latin1 = (text: string): string => Buffer.from(text).toString("latin1");

describe("decodeMetadata gives the text that was meant", () => {
  test.each([
    ["ASCII", "What is it?", "What is it?"],
    ["RFC 2047 of that text", "=?UTF-8?B?R3LDtsOfZSDml6XmnKw=?=", "Größe 日本"],
    // The example in S3's user guide: "ÄMÄZÕÑ S3", sent in UTF-8.
    ["RFC 2047 of UTF-8 that S3 read as ISO-8859-1", "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=", "ÄMÄZÕÑ S3"],
    // What S3 was seen to answer for "Miniö" in UTF-8: minio/minio#21282.
    ["the same in Q", "=?UTF-8?Q?Mini=C3=83=C2=B6?=", "Miniö"],
    ["UTF-8 that a store gives back as it came", latin1("Größe 日本 🎈"), "Größe 日本 🎈"],
    ["ISO-8859-1 that a store gives back as it came", "Größe, naïve café", "Größe, naïve café"],
    ["RFC 2047 of ISO-8859-1", "=?UTF-8?Q?Gr=C3=B6=C3=9Fe?=", "Größe"],
    ["a word beside UTF-8", `${latin1("ö")} =?UTF-8?Q?=C3=83=C2=B6?=`, "ö ö"],
  ])("%s", (_, value, meant) => {
    expect(decodeMetadata({ prompt: value })).toEqual({ prompt: meant });
  });

  test("in every field", () => {
    expect(decodeMetadata({ schema: "=?UTF-8?Q?receipt?=", detail: "low" })).toEqual({
      schema: "receipt",
      detail: "low",
    });
  });
});
