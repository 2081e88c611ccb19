import { expect, test } from "vitest";
import { itemBytes } from "../../../bench/cost/item-size.ts";

test.each([
  ["text by its bytes in UTF-8, and its name", { pk: { S: "é" } }, 2 + 2],
  ["a number by its digits, two a byte, and one more", { n: { N: "12345" } }, 1 + 3 + 1],
  ["a negative one by one byte more", { n: { N: "-12.5" } }, 1 + 2 + 2],
  ["null and true by a byte", { a: { NULL: true }, b: { BOOL: true } }, 1 + 1 + 1 + 1],
  ["a map by 3 bytes and one for each entry", { m: { M: { a: { S: "x" }, b: { S: "y" } } } }, 1 + 3 + 2 + (1 + 1) * 2],
  ["a list likewise", { l: { L: [{ S: "ab" }, { S: "c" }] } }, 1 + 3 + 2 + 2 + 1],
])("an item's size counts %s", (_, item, bytes) => {
  expect(itemBytes(item)).toBe(bytes);
});

test("an attribute of a type that is never stored is no guess", () => {
  expect(() => itemBytes({ set: { SS: ["a"] } })).toThrow("an attribute such as");
});
