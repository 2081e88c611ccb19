import { isLeftAlone } from "@tollgate/core/upload/left-alone";
import { expect, test } from "vitest";

test.each([
  "holiday/",
  "holiday/.DS_Store",
  "holiday/._cat.png",
  "Thumbs.db",
  "THUMBS.DB",
  "desktop.ini",
  "~$menu.docx",
  "__MACOSX/cat.png",
  "holiday/.keep",
  ".gitkeep",
  "_SUCCESS",
  "holiday_$folder$",
  "cat.png.partial",
])("uploads/acme/%s is no image, and no failure", (name) => {
  expect(isLeftAlone(`uploads/acme/${name}`)).toBe(true);
});

test.each(["cat.png", "holiday/cat.png", ".hidden.png", "keep.png", "DS_Store.png", "partial.png", "my~$cat.png"])(
  "uploads/acme/%s may be an image",
  (name) => expect(isLeftAlone(`uploads/acme/${name}`)).toBe(false),
);
